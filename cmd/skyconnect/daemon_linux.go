package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/skybridge-cloud/skybridge/internal/client/daemon"
	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/netcfg"
	"github.com/skybridge-cloud/skybridge/internal/client/trusted"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// stateDir is where the daemon remembers what it changed.
const stateDir = "/var/lib/skyconnect"

func (o *options) daemon() *cobra.Command {
	dir, resolver, resolvConf := stateDir, "", ""
	c := &cobra.Command{
		Use: "daemon", Short: "The privileged half, which the system's service manager starts (root)", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			// A core dump of this process would hold cookies.
			if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
				return err
			}
			host, err := netcfg.New(netcfg.Config{Journal: filepath.Join(dir, "network"), Resolver: netcfg.Resolver(resolver), ResolvConf: resolvConf})
			if err != nil {
				return err
			}
			defer func() { _ = host.Close() }()
			l, err := ipc.Listen(o.socket)
			if err != nil {
				return err
			}
			return daemon.Run(c.Context(), daemon.Config{
				Listener: l, Host: host, StateDir: dir, Open: tun.Open, Queues: max(1, runtime.NumCPU()/2), Version: version,
				Trusted: detector(resolvConf).At,
				Clock:   clock.System{}, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
			})
		},
	}
	c.Flags().StringVar(&dir, "state", stateDir, "directory of what was changed on this machine")
	c.Flags().StringVar(&resolver, "resolver", "", "resolved, resolvconf or file (default: whichever this machine uses)")
	c.Flags().StringVar(&resolvConf, "resolv-conf", "", "instead of /etc/resolv.conf")
	return c
}

// detector looks for trusted networks by the resolv.conf that the daemon was given.
func detector(resolvConf string) (d trusted.Detector) {
	if resolvConf != "" {
		d.Files = []string{resolvConf}
	}
	return d
}

// repairWithout undoes what a killed daemon left, when none runs.
func repairWithout(ctx context.Context) ([]string, error) {
	host, err := netcfg.New(netcfg.Config{Journal: filepath.Join(stateDir, "network")})
	if err != nil {
		return nil, err
	}
	defer func() { _ = host.Close() }()
	undone, err := host.Repair(ctx)
	return undone.Devices, err
}
