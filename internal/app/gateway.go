package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/agent"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
	"github.com/skybridge-cloud/skybridge/internal/platform/slogx"
)

// Gateway runs this host's gateway node until ctx ends.
func Gateway(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	if err := errors.Join(slogx.Keys.Verify(), metric.Labels.Verify(), verifyMessages()); err != nil {
		return fmt.Errorf("%w: %w", ErrUnclassified, err)
	}
	a := agent.Config{
		NodeID: cfg.Node.Name, StateDir: cfg.Path("node"), Listen: cfg.Node.Addresses, Logger: log,
		Version: Version(), Control: cfg.ControlSocket(), Networks: map[string]agent.Network{},
		CAFile: cfg.Node.CA, CertFile: cfg.Node.Certificate, KeyFile: cfg.Node.Key, Metrics: cfg.Metrics.Gateway, MaxBanScore: cfg.MaxBanScore,
	}
	for name, n := range cfg.Node.Networks {
		a.Networks[name] = agent.Network{
			Bridge: n.Bridge, Interface: n.Interface, Address: n.Address,
			Address6: n.Address6, Router6: n.Router6,
			Last: n.Last, Router: n.Router, Masquerade: n.Masquerade,
		}
	}
	return agent.Run(ctx, a)
}
