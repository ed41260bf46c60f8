#include "parent/rules.h"

#include <stdlib.h>
#include <string.h>

struct rules *
rules_new(void)
{
	return calloc(1, sizeof(struct rules));
}

int
rules_add(struct rules *rules, const struct ipc_hostfwd_entry *entry)
{
	if (rules->n == RULES_MAX ||
	    (rules->n > 0 && entry->id <= rules->entries[rules->n - 1].id))
		return -1;
	rules->entries[rules->n++] = *entry;
	return 0;
}

int
rules_remove(struct rules *rules, uint32_t id)
{
	uint32_t i = 0;

	while (i < rules->n && rules->entries[i].id != id)
		i++;
	if (i == rules->n)
		return -1;
	rules->n--;
	memmove(rules->entries + i, rules->entries + i + 1,
	    (rules->n - i) * sizeof(rules->entries[0]));
	return 0;
}
