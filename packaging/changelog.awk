# SPDX-License-Identifier: BSD-2-Clause
# Prints NEWS.md as the changelog of a package. Variables: format (deb or rpm), name, contact,
# and date (YYYY-MM-DD) for a version that is not released. Fails if there is no version.

BEGIN {
	split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", months, " ")
	split("Sun Mon Tue Wed Thu Fri Sat", weekdays, " ")
	# Days that each month shifts the weekday by; Tomohiko Sakamoto's algorithm.
	split("0 3 2 5 0 3 5 1 4 6 2 4", shifts, " ")
	# deb-changelog(5) has two spaces before each line, and lintian asks for 80 columns.
	first = format == "deb" ? "  * " : "- "
	next_lines = format == "deb" ? "    " : "  "
	width = 78
}

# Sets year, month, day, weekday.
function parse_date(text, fields, y) {
	split(text, fields, "-")
	year = fields[1] + 0
	month = fields[2] + 0
	day = fields[3] + 0
	y = month < 3 ? year - 1 : year
	weekday = weekdays[1 + (y + int(y / 4) - int(y / 100) + int(y / 400) + shifts[month] + day) % 7]
}

# Prints what was gathered of one item, in lines of bounded width.
function flush_item(words, n, i, line) {
	# The links of Markdown, and the signs of rpm's macros.
	while (match(item, /\[[^]]*\]\([^)]*\)/)) {
		line = substr(item, RSTART + 1, RLENGTH - 1)
		sub(/\].*/, "", line)
		item = substr(item, 1, RSTART - 1) line substr(item, RSTART + RLENGTH)
	}
	if (format == "rpm")
		gsub(/%/, "%%", item)
	n = split(item, words, /[ \t]+/)
	item = ""
	line = ""
	for (i = 1; i <= n; i++) {
		if (words[i] == "")
			continue
		if (line == "")
			line = first words[i]
		else if (length(line) + 1 + length(words[i]) > width) {
			print line
			line = next_lines words[i]
		} else
			line = line " " words[i]
	}
	if (line != "")
		print line
}

function flush_version() {
	if (version == "")
		return
	flush_item()
	if (format == "deb")
		printf "\n -- %s  %s, %02d %s %d 00:00:00 +0000\n", contact, weekday, day, months[month], year
	print ""
	version = ""
}

/^#/ {
	flush_version()
	# A version and its date; "unreleased" for none.
	if (match($0, /^## [0-9]+\.[0-9]+\.[0-9]+ \(/)) {
		version = $2
		n_versions++
		parse_date($3 ~ /^\([0-9]+-[0-9]+-[0-9]+\)/ ? substr($3, 2, 10) : date)
		if (format == "deb")
			printf "%s (%s) unstable; urgency=medium\n\n", name, version
		else
			printf "* %s %s %02d %d %s %s-1\n", weekday, months[month], day, year, contact, version
	}
	next
}
version == "" { next }
/^- / || /^$/ { flush_item() }
{
	sub(/^- /, "")
	item = item " " $0
}
END {
	flush_version()
	exit !n_versions
}
