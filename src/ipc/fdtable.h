/*
 * The descriptors that a child finds open when its main() starts, and there are no
 * others. Everything else comes by message.
 */
#pragma once

enum ipc_child_fd {
	/* 0, 1 and 2 are /dev/null: nothing in a child may print. (A sanitizer build
	 * keeps the parent's standard error, for the sanitizer's report.) */
	IPC_CHILD_FD_PARENT = 3, /* the channel to the parent */
	IPC_CHILD_FD_END,        /* the first that is closed */
};
