package app

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/skybridge-cloud/skybridge/internal/app/lab"
	"github.com/skybridge-cloud/skybridge/internal/app/walk"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

// Demo walks the whole path against the demonstration that runs on cfg's data
// directory.
func Demo(ctx context.Context, cfg config.Config, out io.Writer) error {
	work, err := os.MkdirTemp("", "skybridge-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	o, err := WalkOptions(cfg, work)
	if err != nil {
		return err
	}
	o.Leave = true
	return walk.Run(ctx, o, out)
}

// WalkOptions describes the demonstration that runs on cfg's data directory.
func WalkOptions(cfg config.Config, work string) (walk.Options, error) {
	running, err := config.Load(cfg.Path("run", "config.yaml"))
	if err != nil {
		return walk.Options{}, fmt.Errorf("is skybridge serve --demo running on %s? %w", cfg.Data, err)
	}
	return walk.Options{
		Console: running.Console.URL, CAFile: running.Path("tls", "console.pem"), Mailbox: "http://" + running.Demo.Mailbox,
		Namespace: lab.ClientNamespace(LabName), Region: running.Node.Region, Host: lab.HostAddress.Addr().String(),
		Subnet: lab.VPC.String(), Network: "demo", Work: work, Digest: lab.Expected(), Size: lab.Size,
		Mainland: running.Node.Location == "CN-mainland", Abroad: running.Profile == "hongkong",
	}, nil
}
