//go:build unix

package main

import (
	"context"
	"syscall"

	"github.com/spf13/cobra"
)

// harden keeps the system from writing a core dump of this process, which would
// hold cookies. The state's directory is made, or refused, by its users.
func harden(string) error { return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }

// underManager runs the daemon until the manager's signal: systemd and launchd
// want no more.
func underManager(ctx context.Context, run func(context.Context) error) error { return run(ctx) }

// manage has no commands: units and property lists are files (packaging/).
func manage() []*cobra.Command { return nil }
