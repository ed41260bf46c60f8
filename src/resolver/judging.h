/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions that a policy judges: what a server is asked, what of its answers the guest gets, and
 * the addresses that the connector must know first. */
#pragma once

#include "resolver/question.h"

/* As question_add(). */
bool judging_add(struct resolver *resolver, const struct asker *asker,
    const uint8_t *bytes, size_t len);

/* Makes the message for the server. id and case_bits are random. */
void judging_ask(struct question *question, uint16_t id,
    const uint8_t case_bits[DNS_CASE_BITS_LEN]);

/* Takes a message of the question's server. Returns false if it is not the answer. */
bool judging_take(struct resolver *resolver, struct question *question,
    const uint8_t *bytes, size_t len);

/* No server has answered. */
void judging_fail(struct resolver *resolver, struct question *question);

/* Mode audit: the question is relayed, and so is its answer. judging_observe_answer() returns true
 * if the connector must know the answer's addresses first; judging_keep_answer() then keeps what
 * the guest gets. */
void judging_observe(struct resolver *resolver, struct question *question,
    const uint8_t *bytes, size_t len);
bool judging_observe_answer(struct resolver *resolver, struct question *question,
    const uint8_t *bytes, size_t len);
void judging_keep_answer(struct resolver *resolver, struct question *question,
    uint8_t *bytes, size_t len);

/* Another policy is in force: judges all by it. */
void judging_begin_anew(struct resolver *resolver);

/* The first question with addresses for the connector; false if there is none. Sets all of *pin.
 * After judging_has_pinned() it is the next one's turn. */
bool judging_wants_pin(struct resolver *resolver, struct ipc_dns_pin *pin);
void judging_has_pinned(struct resolver *resolver);

/* The connector's answer. The question may be gone. */
void judging_take_pinned(struct resolver *resolver, uint64_t number, bool is_pinned);
