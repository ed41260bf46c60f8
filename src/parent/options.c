#include "parent/options.h"

#include <assert.h>
#include <bsd/stdlib.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <net/if.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

/*
 * The command line, from argv to checked options: how each value is judged, the table
 * of all options, getopt's verdicts in our words, what fits together.
 */

/* Of a path that a socket can have, with its NUL. */
#define SOCKET_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

#define USAGE "[OPTION]... PID|PATH|FD [TAPNAME]"

/* The longest IPv4 packet (65535) less an Ethernet header: what libslirp can carry. */
#define MTU_MAX_BYTES 65521

/* Ethernet's, and what slirp4netns starts with. */
#define MTU_DEFAULT_BYTES 1500

#define NETWORK_DEFAULT "10.0.2.0/24"

/* A prefix of 0 would leave no address outside of the network to talk to. */
#define PREFIX_LEN_MIN 1

/* The guest's address is network + 100, so a network needs at least 128 addresses. */
#define PREFIX_LEN_MAX 25

/* Addresses are network + these; slirp4netns has had them from its start, and clients
 * compute with them. */
#define HOST_NUMBER 2
#define DNS_NUMBER 3
#define DHCP_START_NUMBER 15
#define DHCP_END_NUMBER 30
#define RECOMMENDED_NUMBER 100

/* How much of a value is shown in a message: more than most paths have, and little
 * enough that the reason behind it still fits into OPTIONS_MESSAGE_SIZE. */
#define VALUE_SHOWN_SIZE 256

/* In the help text descriptions start here: the longest option, and two spaces. */
#define HELP_COLUMN 29

/* The rows of option_specs. */
#define N_OPTIONS 22

struct parse {
	struct options *options;
	struct options_messages *messages;
	char shown[VALUE_SHOWN_SIZE]; /* of show_value() */

	/* What can be judged only when all options are known. */
	bool has_netns_type;
	bool target_is_bess;
	bool has_macaddress;
	const char *bad_mac_text; /* the first that is no MAC address */
	bool is_given[N_OPTIONS];
};

/* Makes value printable for the next message, which can show only one. */
static const char *
show_value(struct parse *parse, const char *value)
{
	text_escape(parse->shown, sizeof(parse->shown), value, strlen(value));
	return parse->shown;
}

/* Returns false, for the caller to hand up. */
static bool __attribute__((format(printf, 2, 3)))
refuse(struct parse *parse, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(parse->messages->error, sizeof(parse->messages->error), format, args);
	va_end(args);
	return false;
}

static void __attribute__((format(printf, 2, 3)))
warn(struct parse *parse, const char *format, ...)
{
	struct options_messages *messages = parse->messages;
	va_list args;

	if (messages->n_warnings == OPTIONS_N_WARNINGS_MAX)
		return;
	va_start(args, format);
	vsnprintf(messages->warnings[messages->n_warnings++], OPTIONS_MESSAGE_SIZE,
	    format, args);
	va_end(args);
}

/* strtonum(3) also takes white space and signs, which no client sends on purpose. */
static bool
number_parse(const char *text, int min, int max, int *number)
{
	const char *problem = NULL;
	long long parsed;

	if (text[strspn(text, "0123456789")] != '\0')
		return false;
	parsed = strtonum(text, min, max, &problem);
	if (problem != NULL)
		return false;
	*number = (int)parsed;
	return true;
}

bool
options_ifname_is_valid(const char *name)
{
	size_t len = strlen(name);

	/* dev_valid_name() in the kernel's net/core/dev.c, whose isspace() knows the
	 * no-break space of Latin-1 as well. And "%", because TUNSETIFF makes "tap%d"
	 * the name "tap0", while all that comes after would look for "tap%d". */
	return len > 0 && len < IFNAMSIZ && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0 && name[strcspn(name, "/:% \t\n\v\f\r\xa0")] == '\0';
}

/* Namespaces are regular files of nsfs. Anything else is refused here because opening
 * it may have effects, or may block as a FIFO does. NULL if there is nothing to say. */
static const char *
namespace_path_problem(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return strerror(errno);
	return S_ISREG(st.st_mode) ? NULL : "not a namespace";
}

static bool
take_mtu(struct parse *parse, const char *value)
{
	int mtu_bytes;

	if (!number_parse(value, 1, MTU_MAX_BYTES, &mtu_bytes))
		return refuse(parse, "MTU must be a positive integer (< %d)",
		    MTU_MAX_BYTES + 1);
	parse->options->mtu_bytes = (uint32_t)mtu_bytes;
	return true;
}

static bool
take_cidr(struct parse *parse, const char *value)
{
	switch (inet_cidr_parse(value, PREFIX_LEN_MIN, PREFIX_LEN_MAX,
	    &parse->options->network)) {
	case INET_CIDR_OK:
		return true;
	case INET_CIDR_BAD_SYNTAX:
		break;
	case INET_CIDR_BAD_ADDRESS:
		return refuse(parse, "invalid network address: %.*s",
		    (int)strcspn(value, "/"), show_value(parse, value));
	case INET_CIDR_BAD_PREFIX:
		return refuse(parse, "prefix length needs to be %d-%d", PREFIX_LEN_MIN,
		    PREFIX_LEN_MAX);
	case INET_CIDR_HOST_BITS:
		return refuse(parse,
		    "CIDR needs to be a network address like 10.0.2.0/24, "
		    "not like 10.0.2.100/24");
	}
	return refuse(parse, "invalid CIDR: %s", show_value(parse, value));
}

static bool
take_api_socket(struct parse *parse, const char *value)
{
	struct stat st;

	if (value[0] == '\0')
		return refuse(parse, "--api-socket: the path \"\" is empty");
	if (strlen(value) >= SOCKET_PATH_SIZE)
		return refuse(parse, "the specified API socket path is too long (>= %zu)",
		    SOCKET_PATH_SIZE);
	/* A symbolic link would be replaced, not followed, so it is judged itself. */
	if (lstat(value, &st) < 0) {
		if (errno != ENOENT)
			return refuse(parse, "--api-socket: \"%s\": %s",
			    show_value(parse, value), strerror(errno));
	} else if (!S_ISSOCK(st.st_mode)) {
		return refuse(parse, "--api-socket: \"%s\" is %s",
		    show_value(parse, value),
		    S_ISDIR(st.st_mode) ? "a directory" : "not a socket");
	}
	parse->options->api_socket_path = value;
	return true;
}

static bool
take_netns_type(struct parse *parse, const char *value)
{
	if (strcmp(value, "pid") == 0)
		parse->options->target = OPTIONS_TARGET_PID;
	else if (strcmp(value, "path") == 0)
		parse->options->target = OPTIONS_TARGET_PATH;
	else if (strcmp(value, "tapfd") == 0)
		parse->options->target = OPTIONS_TARGET_TAPFD;
	else
		return refuse(parse,
		    "--netns-type must be \"pid\", \"path\" or \"tapfd\", not \"%s\"",
		    show_value(parse, value));
	parse->has_netns_type = true;
	return true;
}

static bool
take_target_type(struct parse *parse, const char *value)
{
	parse->target_is_bess = strcmp(value, "bess") == 0;
	if (!parse->target_is_bess && strcmp(value, "netns") != 0)
		return refuse(parse,
		    "--target-type must be either \"netns\" or \"bess\"");
	return true;
}

static bool
take_userns_path(struct parse *parse, const char *value)
{
	const char *problem;

	if (access(value, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return refuse(parse, "userns path doesn't exist: %s",
		    show_value(parse, value));
	problem = namespace_path_problem(value);
	if (problem != NULL)
		return refuse(parse, "--userns-path: \"%s\": %s",
		    show_value(parse, value), problem);
	parse->options->userns_path = value;
	return true;
}

static bool
take_outbound_addr4(struct parse *parse, const char *value)
{
	in_addr_t addr_be;

	if (!inet_addr4_parse(value, &addr_be) && !options_ifname_is_valid(value))
		return refuse(parse,
		    "--outbound-addr: \"%s\" is neither an IPv4 address nor the "
		    "name of an interface",
		    show_value(parse, value));
	parse->options->outbound_addr4 = value;
	return true;
}

static bool
take_outbound_addr6(struct parse *parse, const char *value)
{
	struct in6_addr addr;

	if (!inet_addr6_parse(value, &addr) && !options_ifname_is_valid(value))
		return refuse(parse,
		    "--outbound-addr6: \"%s\" is neither an IPv6 address nor the "
		    "name of an interface",
		    show_value(parse, value));
	parse->options->outbound_addr6 = value;
	return true;
}

static bool
take_macaddress(struct parse *parse, const char *value)
{
	parse->has_macaddress = true;
	if (inet_mac_parse(value, &parse->options->mac) == INET_MAC_OK)
		parse->options->has_mac = true;
	else if (parse->bad_mac_text == NULL)
		parse->bad_mac_text = value;
	return true;
}

static bool
take_exit_fd(struct parse *parse, const char *value)
{
	if (!number_parse(value, 0, INT_MAX, &parse->options->exit_fd))
		return refuse(parse, "exit-fd must be a non-negative integer");
	return true;
}

static bool
take_ready_fd(struct parse *parse, const char *value)
{
	if (!number_parse(value, 0, INT_MAX, &parse->options->ready_fd))
		return refuse(parse, "ready-fd must be a non-negative integer");
	return true;
}

struct option_spec {
	const char *name;
	const char *value_name;  /* NULL: takes no value */
	const char *description; /* NULL: not in the help text */
	const char *replaced_by; /* NULL unless deprecated */

	/* With a value: checks and keeps it. Returns false when it is wrong. */
	bool (*take)(struct parse *parse, const char *value);
	/* Without: what it sets in struct options, and to what. */
	size_t flag_offset;
	bool flag_value;

	char letter;      /* NUL: has a long form only */
	bool comes_later; /* checked like the others, then refused */
};

#define FLAG(field, value) \
	.flag_offset = offsetof(struct options, field), .flag_value = (value)

/* Letters that end the parsing. */
#define LETTER_HELP 'h'
#define LETTER_VERSION 'v'

static const struct option_spec option_specs[] = {
	{ "configure", NULL, "bring the interface up and give it address and route",
	    .letter = 'c', FLAG(configure, true) },
	{ "exit-fd", "FD", "end when the other side of FD is closed", .letter = 'e',
	    .take = take_exit_fd },
	{ "ready-fd", "FD", "write \"1\" to FD when the network works", .letter = 'r',
	    .take = take_ready_fd },
	{ "mtu", "MTU", "MTU of the interface (default=1500, max=65521)", .letter = 'm',
	    .take = take_mtu },
	{ "enable-ipv6", NULL, "IPv6 beside IPv4, as fd00::/64", .letter = '6',
	    FLAG(enable_ipv6, true) },
	{ "api-socket", "PATH", "socket for requests while running", .letter = 'a',
	    .comes_later = true, .take = take_api_socket },
	{ "cidr", "CIDR", "network of the guest (default=" NETWORK_DEFAULT ")",
	    .take = take_cidr },
	{ "disable-host-loopback", NULL, "no way to 127.0.0.1:* and [::1]:* on the host",
	    FLAG(allow_host_loopback, false) },
	{ "no-host-loopback", .replaced_by = "disable-host-loopback",
	    FLAG(allow_host_loopback, false) },
	{ "netns-type", "TYPE", "what argument 1 is: pid, path or tapfd (default=pid)",
	    .take = take_netns_type },
	{ "create-netns", NULL, "make the namespace and pin it on PATH",
	    .comes_later = true, FLAG(create_netns, true) },
	{ "userns-path", "PATH", "user namespace to join", .take = take_userns_path },
	{ "enable-sandbox", NULL, "fail where the sandbox can't be had",
	    .comes_later = true, FLAG(require_sandbox, true) },
	{ "create-sandbox", .replaced_by = "enable-sandbox", .comes_later = true,
	    FLAG(require_sandbox, true) },
	{ "enable-seccomp", NULL, "fail where the system call filter can't be had",
	    .comes_later = true, FLAG(require_seccomp, true) },
	{ "outbound-addr", "IPv4|IFNAME", "source address of IPv4 connections",
	    .comes_later = true, .take = take_outbound_addr4 },
	{ "outbound-addr6", "IPv6|IFNAME", "source address of IPv6 connections",
	    .comes_later = true, .take = take_outbound_addr6 },
	{ "disable-dns", NULL, "no built-in DNS server", FLAG(enable_dns, false) },
	{ "macaddress", "MAC", "address of the interface (only with -c)",
	    .take = take_macaddress },
	{ "target-type", "TYPE", "netns (default), or bess (not supported yet)",
	    .take = take_target_type },
	{ "help", NULL, "show this text and exit", .letter = LETTER_HELP },
	{ "version", NULL, "show the version and exit", .letter = LETTER_VERSION },
};

static_assert(sizeof(option_specs) / sizeof(option_specs[0]) == N_OPTIONS,
    "one row each");

/* What getopt returns for an option: its letter, or this + its place in the table;
 * above all that getopt can take for a letter. */
#define ID_WITHOUT_LETTER 0x110000

static int
option_id(const struct option_spec *spec)
{
	return spec->letter ? spec->letter
			    : ID_WITHOUT_LETTER + (int)(spec - option_specs);
}

static const struct option_spec *
option_spec_of_id(int id)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (option_id(&option_specs[i]) == id)
			return &option_specs[i];
	}
	return NULL;
}

/* getopt gave up on an argument without naming an option: it is unknown, or short for
 * more than one. */
static void
refuse_long_option(struct parse *parse, const char *arg)
{
	size_t name_len = strcspn(arg, "=");
	char candidates[OPTIONS_MESSAGE_SIZE] = "";
	size_t candidates_len = 0;

	for (size_t i = 0; i < N_OPTIONS && strncmp(arg, "--", 2) == 0; i++) {
		const char *name = option_specs[i].name;

		if (strncmp(name, arg + 2, name_len - 2) != 0)
			continue;
		candidates_len += (size_t)snprintf(candidates + candidates_len,
		    sizeof(candidates) - candidates_len, " '--%s'", name);
		if (candidates_len >= sizeof(candidates))
			break;
	}
	if (candidates_len == 0)
		refuse(parse, "unrecognized option '%s'", show_value(parse, arg));
	else
		refuse(parse, "option '%s' is ambiguous; possibilities:%s",
		    show_value(parse, arg), candidates);
}

/* What getopt reported by returning '?' or ':'. */
static void
refuse_syntax(struct parse *parse, int returned, char **argv)
{
	const struct option_spec *spec = option_spec_of_id(optopt);
	const char letter[] = { (char)optopt, '\0' };

	if (returned == ':' && spec != NULL)
		refuse(parse, "option '--%s' requires an argument", spec->name);
	else if (spec != NULL)
		refuse(parse, "option '--%s' doesn't allow an argument", spec->name);
	else if (optopt != 0)
		refuse(parse, "invalid option -- '%s'", show_value(parse, letter));
	else
		refuse_long_option(parse, argv[optind - 1]);
}

/* Fills in what getopt_long(3) needs; long_options holds N_OPTIONS + 1 and
 * short_options two bytes for each, the leading colon and the NUL. The colon has getopt
 * print nothing, and tell a missing value from an unknown option. */
static void
describe_options(struct option *long_options, char *short_options)
{
	*short_options++ = ':';
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option_spec *spec = &option_specs[i];

		*long_options++ = (struct option){
			.name = spec->name,
			.has_arg = spec->value_name ? required_argument : no_argument,
			.val = option_id(spec),
		};
		if (spec->letter)
			*short_options++ = spec->letter;
		if (spec->letter && spec->value_name)
			*short_options++ = ':';
	}
	*long_options = (struct option){ 0 };
	*short_options = '\0';
}

/* OPTIONS_RUN means here that all options were taken; optind is at what is left. */
static enum options_outcome
take_options(struct parse *parse, int argc, char **argv)
{
	struct option long_options[N_OPTIONS + 1];
	char short_options[2 * N_OPTIONS + 2];
	int id;

	describe_options(long_options, short_options);
	/* Not 1: glibc and musl start afresh at 0, also in the midst of a "-abc". */
	optind = 0;
	while ((id = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
		const struct option_spec *spec = option_spec_of_id(id);

		if (spec == NULL) {
			refuse_syntax(parse, id, argv);
			return OPTIONS_ERROR;
		}
		if (id == LETTER_HELP)
			return OPTIONS_HELP;
		if (id == LETTER_VERSION)
			return OPTIONS_VERSION;
		if (spec->take == NULL)
			*(bool *)((char *)parse->options + spec->flag_offset) =
			    spec->flag_value;
		else if (!spec->take(parse, optarg))
			return OPTIONS_ERROR;
		parse->is_given[spec - option_specs] = true;
	}
	return OPTIONS_RUN;
}

static void
warn_deprecated(struct parse *parse)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (parse->is_given[i] && option_specs[i].replaced_by != NULL)
			warn(parse, "--%s is deprecated, use --%s", option_specs[i].name,
			    option_specs[i].replaced_by);
	}
}

static bool
check_conflicts(struct parse *parse)
{
	struct options *options = parse->options;
	const char *without_netns = NULL;

	if (parse->has_macaddress && !options->configure)
		return refuse(parse,
		    "--macaddr cannot be specified when --configure or -c "
		    "is not specified");
	if (parse->bad_mac_text != NULL)
		return refuse(parse, "\"%s\" is an invalid MAC address.",
		    show_value(parse, parse->bad_mac_text));

	if (parse->target_is_bess)
		without_netns = "--target-type=bess";
	else if (options->target == OPTIONS_TARGET_TAPFD)
		without_netns = "--netns-type=tapfd";
	/* There is no namespace to act on, nor to join. */
	if (without_netns != NULL && options->configure)
		return refuse(parse, "--configure conflicts with %s", without_netns);
	if (parse->target_is_bess && parse->has_netns_type)
		return refuse(parse, "--netns-type conflicts with %s", without_netns);
	if (without_netns != NULL && options->userns_path != NULL)
		return refuse(parse, "--userns-path conflicts with %s", without_netns);
	if (options->create_netns && without_netns != NULL)
		return refuse(parse, "--create-netns conflicts with %s", without_netns);
	if (options->create_netns && options->target != OPTIONS_TARGET_PATH)
		return refuse(parse, "--create-netns needs --netns-type=path");

	if (options->ready_fd >= 0 && options->ready_fd == options->exit_fd)
		return refuse(parse, "--ready-fd and --exit-fd are both %d",
		    options->ready_fd);
	return true;
}

static bool
refuse_missing(struct parse *parse, const char *what)
{
	return refuse(parse, "%s is missing; usage: %s " USAGE, what,
	    show_value(parse, parse->options->program_name));
}

static bool
take_tap_name(struct parse *parse, const char *value)
{
	if (value == NULL)
		return refuse_missing(parse, "TAPNAME");
	if (!options_ifname_is_valid(value))
		return refuse(parse,
		    "TAPNAME \"%s\" is not a name for an interface: 1 to %d bytes "
		    "without \"/\", \":\", \"%%\" and white space, not \".\" or "
		    "\"..\"",
		    show_value(parse, value), IFNAMSIZ - 1);
	parse->options->tap_name = value;
	return true;
}

static bool
take_target_path(struct parse *parse, const char *value)
{
	const char *problem = NULL;

	/* What --create-netns finds there is judged by the one who creates it. */
	if (!parse->options->create_netns)
		problem = namespace_path_problem(value);
	if (problem != NULL)
		return refuse(parse,
		    "existing path expected when --netns-type=path: \"%s\": %s",
		    show_value(parse, value), problem);
	parse->options->netns_path = value;
	return true;
}

static bool
take_tap_fd(struct parse *parse, const char *value)
{
	struct options *options = parse->options;

	if (!number_parse(value, 0, INT_MAX, &options->tap_fd))
		return refuse(parse,
		    "FD must be a non-negative integer when --netns-type=tapfd, "
		    "not \"%s\"",
		    show_value(parse, value));
	if (options->tap_fd == options->ready_fd || options->tap_fd == options->exit_fd)
		return refuse(parse, "%s and the FD of --netns-type=tapfd are both %d",
		    options->tap_fd == options->ready_fd ? "--ready-fd" : "--exit-fd",
		    options->tap_fd);
	return true;
}

static bool
take_bess_path(struct parse *parse, const char *value)
{
	if (value[0] == '\0' || strlen(value) >= SOCKET_PATH_SIZE)
		return refuse(parse,
		    "PATH must have 1 to %zu bytes when --target-type=bess, not "
		    "\"%s\"",
		    SOCKET_PATH_SIZE - 1, show_value(parse, value));
	parse->options->bess_path = value;
	return true;
}

/* args: what is left of argv, ending in NULL. */
static bool
take_positionals(struct parse *parse, char *const *args)
{
	struct options *options = parse->options;

	if (args[0] == NULL)
		return refuse_missing(parse, "PID, PATH or FD");
	if (args[1] != NULL && args[2] != NULL)
		warn(parse, "too many arguments: \"%s\" and all after it are ignored",
		    show_value(parse, args[2]));

	switch (options->target) {
	case OPTIONS_TARGET_PID:
		if (!number_parse(args[0], 1, INT_MAX, &options->target_pid))
			return refuse(parse, "PID must be a positive integer");
		return take_tap_name(parse, args[1]);
	case OPTIONS_TARGET_PATH:
		return take_target_path(parse, args[0]) && take_tap_name(parse, args[1]);
	case OPTIONS_TARGET_TAPFD:
		return take_tap_fd(parse, args[0]);
	case OPTIONS_TARGET_BESS:
		return take_bess_path(parse, args[0]);
	}
	return false;
}

static bool
check_supported(struct parse *parse)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (parse->is_given[i] && option_specs[i].comes_later)
			return refuse(parse, "--%s is not supported yet",
			    option_specs[i].name);
	}
	if (parse->target_is_bess)
		return refuse(parse, "--target-type=bess is not supported yet");
	return true;
}

static enum options_outcome
parse_all(struct parse *parse, int argc, char **argv)
{
	enum options_outcome outcome;

	/* execve(2) with an empty argv: getopt need not stay within it. */
	if (argc < 1) {
		refuse_missing(parse, "PID, PATH or FD");
		return OPTIONS_ERROR;
	}
	outcome = take_options(parse, argc, argv);
	warn_deprecated(parse);
	if (outcome != OPTIONS_RUN)
		return outcome;

	if (!check_conflicts(parse))
		return OPTIONS_ERROR;
	if (parse->target_is_bess)
		parse->options->target = OPTIONS_TARGET_BESS;
	if (!take_positionals(parse, argv + optind) || !check_supported(parse))
		return OPTIONS_ERROR;
	options_addresses_derive(&parse->options->network, &parse->options->addresses);
	return OPTIONS_RUN;
}

static const char *
program_name_of(int argc, char **argv)
{
	const char *name = argc < 1 || argv[0] == NULL ? "" : argv[0];
	const char *slash = strrchr(name, '/');

	if (slash != NULL)
		name = slash + 1;
	return name[0] == '\0' ? OPTIONS_NAME_SLIRPD : name;
}

static void
options_reset(struct options *options, const char *program_name)
{
	*options = (struct options){
		.program_name = program_name,
		.target = OPTIONS_TARGET_PID,
		.target_pid = -1,
		.tap_fd = -1,
		.mtu_bytes = MTU_DEFAULT_BYTES,
		.enable_dns = true,
		.allow_host_loopback = true,
		.exit_fd = -1,
		.ready_fd = -1,
	};
	inet_cidr_parse(NETWORK_DEFAULT, PREFIX_LEN_MIN, PREFIX_LEN_MAX,
	    &options->network);
}

enum options_outcome
options_parse(struct options *options, struct options_messages *messages, int argc,
    char **argv)
{
	const char *program_name = program_name_of(argc, argv);
	struct parse parse = { .options = options, .messages = messages };
	enum options_outcome outcome;

	options_reset(options, program_name);
	memset(messages, 0, sizeof(*messages));
	outcome = parse_all(&parse, argc, argv);
	if (outcome != OPTIONS_RUN)
		options_reset(options, program_name);
	return outcome;
}

void
options_addresses_derive(const struct inet_cidr *network,
    struct options_addresses *addresses)
{
	*addresses = (struct options_addresses){
		.netmask_be = inet_netmask_be(network->prefix_len),
		.host_be = inet_cidr_host_be(network, HOST_NUMBER),
		.dns_be = inet_cidr_host_be(network, DNS_NUMBER),
		.dhcp_start_be = inet_cidr_host_be(network, DHCP_START_NUMBER),
		.dhcp_end_be = inet_cidr_host_be(network, DHCP_END_NUMBER),
		.recommended_be = inet_cidr_host_be(network, RECOMMENDED_NUMBER),
	};
}

void
options_help_write(FILE *out, const char *program_name)
{
	fprintf(out, "Usage: %s " USAGE "\n", program_name);
	fputs("User-mode networking for unprivileged network namespaces.\n\n", out);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option_spec *spec = &option_specs[i];
		int len = 0;

		if (spec->description == NULL)
			continue;
		if (spec->letter)
			len += fprintf(out, "-%c, ", spec->letter);
		len += fprintf(out, "--%s", spec->name);
		if (spec->value_name != NULL)
			len += fprintf(out, "=%s", spec->value_name);
		fprintf(out, "%*s%s%s\n", len < HELP_COLUMN ? HELP_COLUMN - len : 1, "",
		    spec->description, spec->comes_later ? " (not supported yet)" : "");
	}
}
