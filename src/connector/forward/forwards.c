/* SPDX-License-Identifier: BSD-2-Clause */
/* Adds and removes forwards, and answers from their table. */
#include "connector/forward/forwards.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/inaddr.h"

/* The first half of a /64 is the network, the rest the interface identifier. */
#define PREFIX6_BYTES 8

int
forwards_init(struct forwards *forwards, struct listeners *listeners,
    const struct ipc_network *network, const struct budget *budget)
{
	*forwards = (struct forwards){
		.listeners = listeners,
		.network = network,
		.budget = *budget,
		.table = forward_table_new(),
	};
	return forwards->table ? 0 : -1;
}

void
forwards_free(struct forwards *forwards)
{
	free(forwards->table);
	forwards->table = NULL;
}

static uint32_t
count_ports(const struct ipc_forward *forward)
{
	return (uint32_t)forward->host_port_last - forward->host_port_first + 1;
}

/* Whether the guest can have the address. The stack owns the gateway's and the name
 * server's address; the first and the last of an IPv4 network are reserved. */
static bool
guest4_is_good(const struct ipc_network *network, uint32_t addr_be)
{
	return (addr_be & network->netmask_be) == network->network_be &&
	    addr_be != network->network_be &&
	    (addr_be | network->netmask_be) != INADDR_BROADCAST &&
	    addr_be != network->host_be && addr_be != network->nameserver_be;
}

static bool
guest6_is_good(const struct ipc_network *network, const uint8_t addr[16])
{
	return memcmp(addr, &network->prefix6, PREFIX6_BYTES) == 0 &&
	    /* RFC 4291 2.6.1: interface identifier 0 is the anycast address of routers. */
	    memcmp(addr, &network->prefix6, sizeof(network->prefix6)) != 0 &&
	    memcmp(addr, &network->host6, sizeof(network->host6)) != 0 &&
	    memcmp(addr, &network->nameserver6, sizeof(network->nameserver6)) != 0;
}

/* Fills in the guest's own address if there is none. False if the guest can't have it. */
static bool
settle_guest_address(const struct forwards *forwards, struct ipc_forward *forward)
{
	const struct ipc_network *network = forwards->network;
	struct inaddr *addr = &forward->guest_addr;

	if (inaddr_is_unspecified(addr))
		*addr = addr->is_ipv6 ? inaddr_from6(&forwards->guest6)
				      : inaddr_from4(network->guest_be);
	return addr->is_ipv6 ? guest6_is_good(network, addr->bytes)
			     : guest4_is_good(network, inaddr_to4(addr));
}

/* Whether both forwards need the same port of the same address. The unspecified address
 * includes all addresses of its family. */
static bool
is_conflict(const struct ipc_forward *a, const struct ipc_forward *b)
{
	return a->proto == b->proto && a->host_addr.is_ipv6 == b->host_addr.is_ipv6 &&
	    a->host_port_first <= b->host_port_last &&
	    b->host_port_first <= a->host_port_last &&
	    (inaddr_is_unspecified(&a->host_addr) ||
		inaddr_is_unspecified(&b->host_addr) ||
		inaddr_is_equal(&a->host_addr, &b->host_addr));
}

static const struct ipc_forward_entry *
find_conflict(const struct forwards *forwards, const struct ipc_forward *forward)
{
	const struct forward_table *table = forwards->table;

	for (uint32_t i = 0; i < table->n; i++)
		if (is_conflict(&table->entries[i].forward, forward))
			return &table->entries[i];
	return NULL;
}

/* Checks all that needs no system call, and sets the outcome. */
static void
judge(const struct forwards *forwards, struct ipc_forward *forward,
    struct ipc_forward_result *result)
{
	const struct ipc_forward_entry *in_the_way;

	if (forward->guest_addr.is_ipv6 && !forwards->network->enable_ipv6) {
		result->outcome = IPC_FORWARD_ipv6_is_off;
		return;
	}
	if (!settle_guest_address(forwards, forward)) {
		result->outcome = IPC_FORWARD_bad_guest_address;
		return;
	}
	in_the_way = find_conflict(forwards, forward);
	if (in_the_way) {
		result->outcome = IPC_FORWARD_in_use_by_forward;
		result->conflict_id = in_the_way->id;
		result->port = forward->host_port_first;
		if (result->port < in_the_way->forward.host_port_first)
			result->port = in_the_way->forward.host_port_first;
		return;
	}
	if (count_ports(forward) >
		FORWARDS_PORTS_MAX - forwards->budget.used[BUDGET_PORT] ||
	    forwards->last_id == UINT32_MAX)
		result->outcome = IPC_FORWARD_table_full;
}

void
forwards_add(struct forwards *forwards, const struct ipc_forward *forward)
{
	struct forwards_change *change = &forwards->change;

	assert(!forwards_is_busy(forwards));
	*change = (struct forwards_change){
		.phase = FORWARDS_OPENING,
		.is_addition = true,
		.forward = *forward,
		.result = { .outcome = IPC_FORWARD_done },
	};
	judge(forwards, &change->forward, &change->result);
	if (change->result.outcome != IPC_FORWARD_done)
		change->phase = FORWARDS_CLOSING;
}

void
forwards_remove(struct forwards *forwards, uint32_t id)
{
	struct forwards_change *change = &forwards->change;
	const struct ipc_forward_entry *entry = forward_table_find(forwards->table, id);

	assert(!forwards_is_busy(forwards));
	*change = (struct forwards_change){
		.phase = FORWARDS_CLOSING,
		.result = { .outcome = IPC_FORWARD_no_such_forward },
	};
	if (!entry)
		return;
	change->forward = entry->forward;
	change->n_open = count_ports(&entry->forward);
	change->result.outcome = IPC_FORWARD_done;
	change->result.id = id;
}

/* bind(2), ip(7), ipv6(7). */
static enum ipc_forward_outcome
outcome_of(int error)
{
	switch (error) {
	case EADDRINUSE:
		return IPC_FORWARD_in_use;
	case EACCES:
		return IPC_FORWARD_not_permitted;
	case EADDRNOTAVAIL:
		return IPC_FORWARD_no_such_address;
	case EAFNOSUPPORT:
		return IPC_FORWARD_ipv6_is_off;
	default:
		return IPC_FORWARD_system_error;
	}
}

/* The port of a forward at this place. */
static struct ipc_listener
describe_port(const struct ipc_forward *forward, uint32_t id, uint32_t place)
{
	return (struct ipc_listener){
		.forward = id,
		.host_addr = forward->host_addr,
		.guest_addr = forward->guest_addr,
		.host_port = (uint16_t)(forward->host_port_first + place),
		.guest_port = (uint16_t)(forward->guest_port_first + place),
		.proto = forward->proto,
	};
}

int
forwards_adopt(struct forwards *forwards, const struct ipc_forward_entry *entry)
{
	return forward_table_add(forwards->table, entry);
}

int
forwards_adopt_port(struct forwards *forwards, const struct ipc_table_port *port,
    int adopt_fd)
{
	const struct ipc_forward_entry *entry =
	    forward_table_find(forwards->table, port->forward);
	autofd int fd = adopt_fd;
	struct ipc_listener about;

	if (!entry || port->host_port < entry->forward.host_port_first ||
	    port->host_port > entry->forward.host_port_last)
		return -1;
	about = describe_port(&entry->forward, entry->id,
	    (uint32_t)port->host_port - entry->forward.host_port_first);
	about.id = port->listener;
	if (listeners_adopt(forwards->listeners, &about, take_fd(&fd)) == -1)
		return -1;
	budget_take(&forwards->budget, BUDGET_PORT, 1);
	return 0;
}

void
forwards_end_adoption(struct forwards *forwards, uint32_t last_id)
{
	forwards->last_id = last_id;
	listeners_end_adoption(forwards->listeners);
}

/* Opens the next port of the forward. */
static void
open_port(struct forwards *forwards)
{
	struct forwards_change *change = &forwards->change;
	const struct ipc_listener about =
	    describe_port(&change->forward, forwards->last_id + 1, change->n_open);
	int outcome = -1;

	if (!budget_has_room(&forwards->budget, BUDGET_PORT, 1))
		errno = EMFILE;
	else
		outcome = listeners_open(forwards->listeners, &about);
	if (outcome == -1) {
		change->result.outcome = outcome_of(errno);
		change->result.error = (uint32_t)errno;
		change->result.port = about.host_port;
		change->phase = FORWARDS_CLOSING;
		return;
	}
	change->n_open++;
	budget_take(&forwards->budget, BUDGET_PORT, 1);
}

/* Closes the last of the open ports. */
static void
close_port(struct forwards *forwards)
{
	struct forwards_change *change = &forwards->change;
	const struct ipc_forward *forward = &change->forward;

	change->n_open--;
	listeners_close(forwards->listeners, forward->proto, &forward->host_addr,
	    (uint16_t)(forward->host_port_first + change->n_open));
	budget_give(&forwards->budget, BUDGET_PORT, 1);
}

/* All ports are open: adds the forward to the table, and gives its ports to the worker. */
static void
finish_addition(struct forwards *forwards)
{
	struct forwards_change *change = &forwards->change;
	const struct ipc_forward_entry entry = {
		.id = ++forwards->last_id,
		.forward = change->forward,
	};

	change->result.id = entry.id;
	/* Cannot fail: ids ascend, and each forward has a port. */
	forward_table_add(forwards->table, &entry);
	listeners_release(forwards->listeners);
	change->phase = FORWARDS_IDLE;
}

/* All ports are closed. */
static void
finish_closing(struct forwards *forwards)
{
	struct forwards_change *change = &forwards->change;

	change->phase = FORWARDS_IDLE;
	if (!change->is_addition && change->result.outcome == IPC_FORWARD_done)
		forward_table_remove(forwards->table, change->result.id);
}

bool
forwards_proceed(struct forwards *forwards)
{
	struct forwards_change *change = &forwards->change;
	uint64_t ends_ms = clock_now_ms() + FORWARDS_SLICE_MS;

	do {
		if (change->phase == FORWARDS_OPENING) {
			if (change->n_open < count_ports(&change->forward))
				open_port(forwards);
			else
				finish_addition(forwards);
		} else if (change->n_open > 0) {
			close_port(forwards);
		} else {
			finish_closing(forwards);
		}
	} while (forwards_is_busy(forwards) && clock_now_ms() < ends_ms);
	return !forwards_is_busy(forwards);
}

uint16_t
forwards_udp_port_of(const struct forwards *forwards, const struct inaddr *guest,
    uint16_t guest_port)
{
	for (uint32_t i = 0; i < forwards->table->n; i++) {
		const struct ipc_forward *forward = &forwards->table->entries[i].forward;
		uint32_t offset = (uint32_t)guest_port - forward->guest_port_first;

		if (forward->proto == IPPROTO_UDP &&
		    guest_port >= forward->guest_port_first &&
		    offset < count_ports(forward) &&
		    inaddr_is_unspecified(&forward->host_addr) &&
		    forward->host_addr.is_ipv6 == guest->is_ipv6 &&
		    inaddr_is_equal(&forward->guest_addr, guest))
			return (uint16_t)(forward->host_port_first + offset);
	}
	return 0;
}

void
forwards_fill_page(const struct forwards *forwards, uint32_t after_id,
    struct ipc_forwards_page *page)
{
	uint32_t place = forward_table_place_after(forwards->table, after_id);
	uint32_t n = forwards->table->n - place;

	page->has_more = n > IPC_PAGE_ENTRIES;
	page->n = page->has_more ? IPC_PAGE_ENTRIES : n;
	memcpy(page->entries, forwards->table->entries + place,
	    page->n * sizeof(page->entries[0]));
}
