// Package window is the window of skyconnect: what a person sees of the client
// and does with it, drawn natively. It is no page, opens no port and reaches no
// network; everything it shows comes from a Backend and everything it is asked
// to do goes to one.
//
//	cmd/skyconnect-window ── events ──▶ UI.Layout ──▶ drawing operations
//	                                     │     ▲
//	                          acts, in   │     │ a View whenever something changed,
//	                          goroutines ▼     │ answers of acts
//	                                    Backend
//
//	age asked ──▶ policy pending ── accept ──▶ in use ── withdraw ──▶ policy pending
//	                     ▲                        │
//	                     └── new major version ───┘   (blocks until decided)
//
// It is not for the operating system: the package is pure Go and draws into a
// list of operations, so that daemon, command line and server build without the
// system's window libraries. Only the command links those.
//
// Invariants: before the policy is accepted nothing but Watch, Policy, Settings
// and Accept is called; a password is held in bytes that are overwritten after use
// and can be pasted but never copied out; nothing here registers an account or
// resets a password; every wait can be left with Escape.
package window
