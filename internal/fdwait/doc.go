// Package fdwait reads and waits for file descriptors beside the runtime's
// poller.
//
// The runtime looks for input when a thread has nothing else to do. A goroutine
// that always has something to read keeps its thread from looking, so that
// packets of others lie for up to 10 ms; and each packet for a goroutine that is
// busy anyway wakes another thread for nothing. Here a thread that does nothing
// else waits, and only for those that asked.
//
//	File.Wait ── EPOLLONESHOT ─▶ watcher's thread ── token ─▶ the waiting goroutine
//
// Other systems have Turn alone: there the runtime's poller waits.
//
// Invariants: a descriptor is closed only when nobody uses it any more; a wait
// ends when there is input, at its deadline, or when the file is closed.
package fdwait
