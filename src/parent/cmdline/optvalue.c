/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the values of options and arguments, one function each. */
#include "parent/cmdline/optvalue.h"

#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/exitcode.h"
#include "base/inaddr.h"
#include "base/text.h"
#include "parent/cmdline/accounts.h"
#include "parent/cmdline/publish.h"
#include "parent/files/instance.h"

/* The size of the path of a socket, with its NUL. */
#define SOCKET_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

#define DIGITS "0123456789"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* The length of a /64, the only one for stateless autoconfiguration. */
#define PREFIX6_BYTES 8

/* The size of a user name with its NUL: more than useradd(8) and POSIX
 * (_POSIX_LOGIN_NAME_MAX) allow. */
#define RUNAS_USER_SIZE 256

/* Escapes the first len bytes of value. The escaped text cannot be cut later. */
static const char *
show_part(struct optvalue_parse *parse, const char *value, size_t len)
{
	text_escape(parse->shown, sizeof(parse->shown), value, len);
	return parse->shown;
}

const char *
optvalue_show(struct optvalue_parse *parse, const char *value)
{
	return show_part(parse, value, strlen(value));
}

bool
optvalue_refuse(struct optvalue_parse *parse, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(parse->messages->error, sizeof(parse->messages->error), format, args);
	va_end(args);
	return false;
}

/* Refuses the value of an option. The format is the end of the sentence that the option and
 * the value begin. */
static bool __attribute__((format(printf, 3, 4)))
refuse_value(struct optvalue_parse *parse, const char *value, const char *format, ...)
{
	char *error = parse->messages->error;
	va_list args;
	int len;

	len = snprintf(error, OPTIONS_MESSAGE_SIZE, "--%s: \"%s\"", parse->name,
	    optvalue_show(parse, value));
	va_start(args, format);
	vsnprintf(error + len, OPTIONS_MESSAGE_SIZE - (size_t)len, format, args);
	va_end(args);
	return false;
}

/* Returns the index of a word, or -1. */
static int
index_of(const char *word, const char *const *words, size_t n_words)
{
	for (size_t i = 0; i < n_words; i++)
		if (words[i] != NULL && strcmp(word, words[i]) == 0)
			return (int)i;
	return -1;
}

void
optvalue_warn(struct optvalue_parse *parse, const char *format, ...)
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

/* strtonum(3) also accepts white space and signs; clients do not send them on purpose. */
static bool
number_parse(const char *text, int min, int max, int *number)
{
	const char *problem = NULL;
	long long parsed;

	if (text[strspn(text, DIGITS)] != '\0')
		return false;
	parsed = strtonum(text, min, max, &problem);
	if (problem != NULL)
		return false;
	*number = (int)parsed;
	return true;
}

bool
options_is_slirp4netns(const char *program_name)
{
	return strcmp(program_name, OPTIONS_NAME_SLIRP4NETNS) == 0;
}

int
options_usage_status(const struct options *options)
{
	if (options->is_run)
		return EXITCODE_RUN_FAILED;
	return options_is_slirp4netns(options->program_name) ? EXITCODE_FAILURE
							     : EXITCODE_USAGE;
}

/* Whether a text is wanted that clients of slirp4netns know. */
static bool
wants_known_text(const struct optvalue_parse *parse)
{
	return options_is_slirp4netns(parse->options->program_name);
}

bool
options_ifname_is_valid(const char *name)
{
	size_t len = strlen(name);

	/* The rules of dev_valid_name() in the kernel's net/core/dev.c; its isspace()
	 * includes the no-break space of Latin-1. Also refuse "%": TUNSETIFF turns
	 * "tap%d" into "tap0", while the later steps look for "tap%d". */
	return len > 0 && len < IFNAMSIZ && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0 && name[strcspn(name, "/:% \t\n\v\f\r\xa0")] == '\0';
}

/* Returns the problem of the path, or NULL. Namespaces are regular files of nsfs. Opening
 * any other type may have effects or block, as a FIFO does. */
static const char *
namespace_path_problem(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return strerror(errno);
	return S_ISREG(st.st_mode) ? NULL : "not a namespace";
}

bool
optvalue_take_mtu(struct optvalue_parse *parse, const char *value)
{
	int mtu_bytes;

	if (!number_parse(value, 1, IPC_MTU_MAX_BYTES, &mtu_bytes)) {
		if (wants_known_text(parse))
			return optvalue_refuse(parse,
			    "MTU must be a positive integer (< %d)",
			    IPC_MTU_MAX_BYTES + 1);
		return refuse_value(parse, value, " is not a number from 1 to %d",
		    IPC_MTU_MAX_BYTES);
	}
	parse->options->mtu_bytes = (uint32_t)mtu_bytes;
	return true;
}

/* Linux reserves 0/8 and 127/8 for itself and 224/4 for multicast, also in a guest. */
static bool
network_is_usable(const struct cidr *network)
{
	uint32_t address = ntohl(network->network_be);

	return address >> 24 != 0 && address >> 24 != IN_LOOPBACKNET &&
	    !IN_MULTICAST(address);
}

static bool
refuse_cidr_as_slirp4netns(struct optvalue_parse *parse, const char *value,
    enum cidr_outcome outcome)
{
	switch (outcome) {
	case CIDR_OK:
	case CIDR_BAD_SYNTAX:
		break;
	case CIDR_BAD_ADDRESS:
		return optvalue_refuse(parse, "invalid network address: %s",
		    show_part(parse, value, strcspn(value, "/")));
	case CIDR_BAD_PREFIX:
		return optvalue_refuse(parse, "prefix length needs to be %d-%d",
		    IPC_PREFIX_LEN_MIN, IPC_PREFIX_LEN_MAX);
	case CIDR_HOST_BITS:
		return optvalue_refuse(parse,
		    "CIDR needs to be a network address like 10.0.2.0/24, "
		    "not like 10.0.2.100/24");
	}
	return optvalue_refuse(parse, "invalid CIDR: %s", optvalue_show(parse, value));
}

/* Names the network of a value that is the address of a host. */
static bool
refuse_host_bits(struct optvalue_parse *parse, const char *value)
{
	size_t addr_len = strcspn(value, "/");
	char addr_text[INET_ADDRSTRLEN] = "", network[INET_ADDRSTRLEN];
	unsigned int prefix_len = (unsigned int)strtoul(value + addr_len + 1, NULL, 10);
	in_addr_t addr_be;

	if (addr_len < sizeof(addr_text))
		memcpy(addr_text, value, addr_len);
	inet_pton(AF_INET, addr_text, &addr_be);
	addr_be &= cidr_netmask_be(prefix_len);
	return refuse_value(parse, value,
	    " is an address in a network; the network is %s/%u",
	    inet_ntop(AF_INET, &addr_be, network, sizeof(network)), prefix_len);
}

static bool
refuse_cidr(struct optvalue_parse *parse, const char *value, enum cidr_outcome outcome)
{
	static const char example[] = "an IPv4 network such as 10.0.2.0/24";

	switch (outcome) {
	case CIDR_OK:
		break;
	case CIDR_BAD_SYNTAX:
		if (strchr(value, '/') == NULL && value[0] != '\0')
			return refuse_value(parse, value,
			    " has no prefix length: give %s", example);
		return refuse_value(parse, value, " is not %s", example);
	case CIDR_BAD_ADDRESS:
		return refuse_value(parse, value, " has a wrong address: give %s",
		    example);
	case CIDR_BAD_PREFIX:
		return refuse_value(parse, value, " has a prefix length outside %d to %d",
		    IPC_PREFIX_LEN_MIN, IPC_PREFIX_LEN_MAX);
	case CIDR_HOST_BITS:
		return refuse_host_bits(parse, value);
	}
	return false;
}

bool
optvalue_take_cidr(struct optvalue_parse *parse, const char *value)
{
	enum cidr_outcome outcome = cidr_parse(value, IPC_PREFIX_LEN_MIN,
	    IPC_PREFIX_LEN_MAX, &parse->options->network);

	if (outcome != CIDR_OK)
		return wants_known_text(parse)
		    ? refuse_cidr_as_slirp4netns(parse, value, outcome)
		    : refuse_cidr(parse, value, outcome);
	if (!network_is_usable(&parse->options->network))
		return refuse_value(parse, value,
		    " is not a network that hosts can be in");
	return true;
}

/* A guest's network is not multicast, link-local, or ::/64, which contains the
 * unspecified address, the loopback and IPv4-mapped addresses (RFC 4291 2.4, 2.5). */
static bool
prefix6_is_usable(const struct in6_addr *prefix)
{
	static const uint8_t zero[PREFIX6_BYTES];

	return !IN6_IS_ADDR_MULTICAST(prefix) && !IN6_IS_ADDR_LINKLOCAL(prefix) &&
	    memcmp(prefix, zero, sizeof(zero)) != 0;
}

bool
optvalue_take_cidr6(struct optvalue_parse *parse, const char *value)
{
	static const uint8_t zero[PREFIX6_BYTES];
	char text[INET6_ADDRSTRLEN] = "";
	size_t len = strcspn(value, "/");
	struct in6_addr prefix;

	if (len < sizeof(text))
		memcpy(text, value, len);
	if (inet_pton(AF_INET6, text, &prefix) != 1 || strcmp(value + len, "/64") != 0 ||
	    memcmp(prefix.s6_addr + PREFIX6_BYTES, zero, sizeof(zero)) != 0 ||
	    !prefix6_is_usable(&prefix))
		return refuse_value(parse, value,
		    " is not an IPv6 network of a guest, such as fd00:1::/64");
	parse->options->prefix6 = prefix;
	return true;
}

static bool
refuse_empty(struct optvalue_parse *parse)
{
	return optvalue_refuse(parse, "--%s: the path \"\" is empty", parse->name);
}

bool
optvalue_take_api_socket(struct optvalue_parse *parse, const char *value)
{
	struct stat st;

	if (value[0] == '\0')
		return refuse_empty(parse);
	if (!wants_known_text(parse) && strcmp(value, INSTANCE_AUTO) == 0) {
		value = parent_instance_path();
		if (value == NULL)
			return optvalue_refuse(parse, "--api-socket=auto: %s",
			    errno == ENOENT ? "XDG_RUNTIME_DIR is not set"
					    : strerror(errno));
		parse->options->api_socket_path = value;
		return true;
	}
	if (strlen(value) >= SOCKET_PATH_SIZE) {
		if (wants_known_text(parse))
			return optvalue_refuse(parse,
			    "the specified API socket path is too long (>= %zu)",
			    SOCKET_PATH_SIZE);
		return refuse_value(parse, value,
		    " is too long: a socket's path has at most %zu bytes",
		    SOCKET_PATH_SIZE - 1);
	}
	/* lstat(): a symbolic link would be replaced and not followed. */
	if (lstat(value, &st) < 0) {
		if (errno != ENOENT)
			return refuse_value(parse, value, ": %s", strerror(errno));
	} else if (!S_ISSOCK(st.st_mode)) {
		return refuse_value(parse, value, " is %s",
		    S_ISDIR(st.st_mode) ? "a directory" : "not a socket");
	}
	parse->options->api_socket_path = value;
	return true;
}

bool
optvalue_take_file_path(struct optvalue_parse *parse, const char *value)
{
	size_t len = strlen(value);

	if (len == 0)
		return refuse_empty(parse);
	if (len >= PATH_MAX)
		return refuse_value(parse, value, ": %s", strerror(ENAMETOOLONG));
	if (value[len - 1] == '/')
		return refuse_value(parse, value, " is a directory");
	*(const char **)parse->field = value;
	return true;
}

bool
optvalue_take_log_level(struct optvalue_parse *parse, const char *value)
{
	static const char *const words[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};
	int level = index_of(value, words, N_ELEMENTS(words));

	if (level == -1)
		return optvalue_refuse(parse,
		    "--log-level must be \"error\", \"warning\", \"info\" or \"debug\", "
		    "not \"%s\"",
		    optvalue_show(parse, value));
	parse->options->log_level = (enum log_level)level;
	return true;
}

bool
optvalue_take_restart(struct optvalue_parse *parse, const char *value)
{
	static const char *const words[] = { "no", "yes" };
	int index = index_of(value, words, N_ELEMENTS(words));

	if (index == -1)
		return optvalue_refuse(parse,
		    "--restart must be \"yes\" or \"no\", not \"%s\"",
		    optvalue_show(parse, value));
	parse->options->restart = index == 1;
	return true;
}

bool
optvalue_take_publish(struct optvalue_parse *parse, const char *value)
{
	struct options *options = parse->options;
	struct ipc_forward forward;
	const char *why;

	if (!publish_parse(value, &forward, &why))
		return refuse_value(parse, value, ": %s", why);
	if (options->n_publish == OPTIONS_PUBLISH_MAX)
		return optvalue_refuse(parse, "--publish: more than %d of them",
		    OPTIONS_PUBLISH_MAX);
	options->publish[options->n_publish++] =
	    (struct options_publish){ .forward = forward, .text = value };
	return true;
}

bool
optvalue_take_netns_type(struct optvalue_parse *parse, const char *value)
{
	static const char *const words[] = {
		[OPTIONS_TARGET_PID] = "pid",
		[OPTIONS_TARGET_PATH] = "path",
		[OPTIONS_TARGET_TAPFD] = "tapfd",
	};
	int target = index_of(value, words, N_ELEMENTS(words));

	if (target == -1)
		return optvalue_refuse(parse,
		    "--netns-type must be \"pid\", \"path\" or \"tapfd\", not \"%s\"",
		    optvalue_show(parse, value));
	parse->options->target = (enum options_target)target;
	return true;
}

bool
optvalue_take_target_type(struct optvalue_parse *parse, const char *value)
{
	if (strcmp(value, "bess") != 0 && strcmp(value, "netns") != 0) {
		if (wants_known_text(parse))
			return optvalue_refuse(parse,
			    "--target-type must be either \"netns\" or \"bess\"");
		return optvalue_refuse(parse,
		    "--target-type must be \"netns\" or \"bess\", not \"%s\"",
		    optvalue_show(parse, value));
	}
	return true;
}

bool
optvalue_take_userns_path(struct optvalue_parse *parse, const char *value)
{
	const char *problem;

	if (wants_known_text(parse) && access(value, F_OK) < 0 &&
	    (errno == ENOENT || errno == ENOTDIR))
		return optvalue_refuse(parse, "userns path doesn't exist: %s",
		    optvalue_show(parse, value));
	problem = namespace_path_problem(value);
	if (problem != NULL)
		return refuse_value(parse, value, ": %s", problem);
	parse->options->userns_path = value;
	return true;
}

static bool
take_outbound_addr(struct optvalue_parse *parse, const char *value, bool is_ipv6)
{
	struct inaddr addr;

	if (inaddr_parse(value, &addr) && addr.is_ipv6 == is_ipv6) {
		/* bind(2) accepts these addresses, and the first packet fails. */
		if (inaddr_is_multicast(&addr) || inaddr_is_broadcast(&addr))
			return refuse_value(parse, value,
			    " is not the address of a host");
	} else if (!options_ifname_is_valid(value)) {
		return refuse_value(parse, value,
		    " is neither an %s address nor the name of an interface",
		    is_ipv6 ? "IPv6" : "IPv4");
	}
	parse->options->outbound_addr[is_ipv6] = value;
	return true;
}

bool
optvalue_take_outbound_addr4(struct optvalue_parse *parse, const char *value)
{
	return take_outbound_addr(parse, value, false);
}

bool
optvalue_take_outbound_addr6(struct optvalue_parse *parse, const char *value)
{
	return take_outbound_addr(parse, value, true);
}

bool
optvalue_take_macaddress(struct optvalue_parse *parse, const char *value)
{
	if (mac_parse(value, &parse->options->mac) == MAC_OK)
		parse->options->has_mac = true;
	else if (parse->bad_mac_text == NULL)
		parse->bad_mac_text = value;
	return true;
}

bool
optvalue_refuse_macaddress(struct optvalue_parse *parse)
{
	const char *shown = optvalue_show(parse, parse->bad_mac_text);
	const char *why = "is not a MAC address such as 0a:0b:0c:0d:0e:0f";
	struct mac mac;

	if (wants_known_text(parse))
		return optvalue_refuse(parse, "\"%s\" is an invalid MAC address.", shown);
	switch (mac_parse(parse->bad_mac_text, &mac)) {
	case MAC_OK:
	case MAC_BAD_SYNTAX:
		break;
	case MAC_MULTICAST:
		why = "is a multicast address, which an interface cannot have";
		break;
	case MAC_ZERO:
		why = "is all zeros, which an interface cannot have";
		break;
	}
	return optvalue_refuse(parse, "--macaddress: \"%s\" %s", shown, why);
}

bool
optvalue_take_fd(struct optvalue_parse *parse, const char *value)
{
	if (number_parse(value, 0, INT_MAX, parse->field))
		return true;
	if (wants_known_text(parse))
		return optvalue_refuse(parse, "%s must be a non-negative integer",
		    parse->name);
	return refuse_value(parse, value, " is not the number of a descriptor");
}

bool
optvalue_take_runas(struct optvalue_parse *parse, const char *value)
{
	struct options *options = parse->options;
	const char *colon = strchr(value, ':');
	char user[RUNAS_USER_SIZE];
	size_t user_len = colon ? (size_t)(colon - value) : strlen(value);
	bool fits = user_len < sizeof(user);
	uid_t uid;
	gid_t gid;

	if (fits)
		snprintf(user, sizeof(user), "%.*s", (int)user_len, value);
	if (!fits || !parent_user_find(user, &uid, &gid))
		return optvalue_refuse(parse, "--runas: there is no user \"%s\"",
		    show_part(parse, value, user_len));
	if (colon && !parent_group_find(colon + 1, &gid))
		return optvalue_refuse(parse, "--runas: there is no group \"%s\"",
		    optvalue_show(parse, colon + 1));
	if (uid == 0 || gid == 0)
		return refuse_value(parse, value, " is root, or in its group");
	options->runas_uid = uid;
	options->runas_gid = gid;
	options->has_runas = true;
	return true;
}

bool
optvalue_refuse_missing(struct optvalue_parse *parse, const char *what)
{
	return optvalue_refuse(parse, "%s is missing; usage: %s %s", what,
	    optvalue_show(parse, parse->options->program_name),
	    parse->options->is_run ? OPTVALUE_USAGE_RUN : OPTVALUE_USAGE);
}

bool
optvalue_take_tap_name(struct optvalue_parse *parse, const char *value)
{
	if (value == NULL)
		return optvalue_refuse_missing(parse, "TAPNAME");
	if (!options_ifname_is_valid(value))
		return optvalue_refuse(parse,
		    "TAPNAME \"%s\" is not a name for an interface: 1 to %d bytes "
		    "without \"/\", \":\", \"%%\" and white space, not \".\" or "
		    "\"..\"",
		    optvalue_show(parse, value), IFNAMSIZ - 1);
	parse->options->tap_name = value;
	return true;
}

bool
optvalue_take_target_path(struct optvalue_parse *parse, const char *value)
{
	const char *problem = NULL;

	/* --create-netns checks the file itself. */
	if (parse->options->create_netns && value[0] == '\0')
		return optvalue_refuse(parse, "--create-netns: the PATH \"\" is empty");
	if (parse->options->create_netns && strlen(value) >= PATH_MAX)
		return optvalue_refuse(parse,
		    "--create-netns: the PATH \"%s\" is too long",
		    optvalue_show(parse, value));
	if (!parse->options->create_netns)
		problem = namespace_path_problem(value);
	if (problem != NULL)
		return optvalue_refuse(parse,
		    "existing path expected when --netns-type=path: \"%s\": %s",
		    optvalue_show(parse, value), problem);
	parse->options->netns_path = value;
	return true;
}

bool
optvalue_take_tap_fd(struct optvalue_parse *parse, const char *value)
{
	struct options *options = parse->options;

	if (!number_parse(value, 0, INT_MAX, &options->tap_fd))
		return optvalue_refuse(parse,
		    "FD must be a non-negative integer when --netns-type=tapfd, "
		    "not \"%s\"",
		    optvalue_show(parse, value));
	if (options->tap_fd == options->ready_fd || options->tap_fd == options->exit_fd)
		return optvalue_refuse(parse,
		    "%s and the FD of --netns-type=tapfd are both %d",
		    options->tap_fd == options->ready_fd ? "--ready-fd" : "--exit-fd",
		    options->tap_fd);
	return true;
}

bool
optvalue_take_bess_path(struct optvalue_parse *parse, const char *value)
{
	if (value[0] == '\0' || strlen(value) >= SOCKET_PATH_SIZE)
		return optvalue_refuse(parse,
		    "PATH must have 1 to %zu bytes when --target-type=bess, not "
		    "\"%s\"",
		    SOCKET_PATH_SIZE - 1, optvalue_show(parse, value));
	parse->options->bess_path = value;
	return true;
}

static bool
is_digits(const char *text)
{
	return text[0] != '\0' && text[strspn(text, DIGITS)] == '\0';
}

/* Guesses the mistake that leads to this value in the place of a PID. */
static const char *
pid_hint(const char *value, const char *next)
{
	if (is_digits(value))
		return "";
	if (strchr(value, '/') != NULL)
		return "; for a file use --netns-type=path";
	if (next == NULL)
		return ": is the PID missing? For a file use --netns-type=path";
	if (is_digits(next))
		return "; the PID comes before TAPNAME";
	return "; see slirpd --help";
}

bool
optvalue_take_target_pid(struct optvalue_parse *parse, const char *value,
    const char *next)
{
	if (number_parse(value, 1, INT_MAX, &parse->options->target_pid))
		return true;
	if (wants_known_text(parse))
		return optvalue_refuse(parse, "PID must be a positive integer");
	return optvalue_refuse(parse, "PID \"%s\" is not a positive integer%s",
	    optvalue_show(parse, value), pid_hint(value, next));
}
