package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/daemon"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/client/trusted"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

func (o *options) daemon() *cobra.Command {
	dir, resolver, resolvConf, takes := stateDir(), "", "", 0
	c := &cobra.Command{
		Use: "daemon", Short: "The privileged half, which the system's service manager starts (root)", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("takes") {
				return daemon.Takes(takes)
			}
			return underManager(c.Context(), func(ctx context.Context) error {
				return o.serve(ctx, dir, netcfg.Config{Journal: filepath.Join(dir, "network"), Resolver: netcfg.Resolver(resolver), ResolvConf: resolvConf})
			})
		},
	}
	c.Flags().StringVar(&dir, "state", dir, "directory of what was changed on this machine")
	c.Flags().StringVar(&resolver, "resolver", "", "resolved, resolvconf or file (default: whichever this machine uses)")
	c.Flags().StringVar(&resolvConf, "resolv-conf", "", "instead of /etc/resolv.conf")
	c.Flags().IntVar(&takes, "takes", 0, "tell whether this version of a handover would be taken up, and end")
	_ = c.Flags().MarkHidden("takes") // one daemon asks another
	c.AddCommand(manage()...)
	return c
}

// serve is the daemon until ctx ends, over restarts for which the installed program
// takes its place.
func (o *options) serve(ctx context.Context, dir string, cfg netcfg.Config) error {
	if err := harden(dir); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	taken, err := daemon.Taken()
	if err != nil {
		log.Error("nothing is taken up", "error", err)
	}
	program, err := daemon.ThisProgram()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	host, err := netcfg.New(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = host.Close() }()
	for stayed := false; ; stayed = true {
		l, err := ipc.Listen(o.socket)
		if err != nil {
			return err
		}
		next, err := daemon.Run(ctx, daemon.Config{
			Listener: l, Host: host, StateDir: dir, Devices: daemon.System{}, Queues: max(1, runtime.NumCPU()/2), Version: version,
			Program: program, Taken: taken, Stayed: stayed, Trusted: detector(cfg.ResolvConf).At, Clock: clock.System{}, Log: log,
		})
		if err != nil || next == nil {
			return err
		}
		if taken = next; ctx.Err() == nil {
			log.Error("the other program does not take over", "error", next.Exec(program))
		}
	}
}

// detector looks for trusted networks by the resolv.conf that the daemon was given.
func detector(resolvConf string) (d trusted.Detector) {
	if resolvConf != "" {
		d.Files = []string{resolvConf}
	}
	return d
}

// repairWithout undoes what a killed daemon with its state in dir left, when none runs.
func repairWithout(ctx context.Context, dir string) ([]string, error) {
	host, err := netcfg.New(netcfg.Config{Journal: filepath.Join(dir, "network")})
	if err != nil {
		return nil, err
	}
	defer func() { _ = host.Close() }()
	undone, err := host.Repair(ctx)
	return undone.Devices, err
}
