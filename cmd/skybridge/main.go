// Command skybridge is the whole platform in one binary: storefront, console,
// API, compliance record and VPN gateway.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/skybridge-cloud/skybridge/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root(os.Stdout, os.Stderr).ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "skybridge:", err)
		stop()
		os.Exit(exitStatus(err))
	}
}

// exitStatus tells a supervisor what starting again cannot mend.
func exitStatus(err error) int {
	if errors.Is(err, app.ErrUnclassified) || errors.Is(err, app.ErrResidency) {
		return app.ExitUnclassified
	}
	return 1
}
