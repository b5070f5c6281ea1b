package fleet

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

// Source tells what gateways contain; the module vpn fills it.
type Source interface {
	// GatewaysOf returns the desired state of those of the gateways that
	// should run anywhere, in the order of their ids.
	GatewaysOf(ctx context.Context, ids []string) ([]gwlink.Gateway, error)
	// GrantKeys returns the keys whose grants nodes accept.
	GrantKeys(ctx context.Context) ([]gwlink.GrantKey, error)
}
