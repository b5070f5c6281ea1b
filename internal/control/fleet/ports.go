package fleet

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Source tells what gateways contain; the module vpn fills it.
type Source interface {
	// GatewaysOf returns the desired state of those of the gateways that
	// should run anywhere, in the order of their ids. The answer is used until
	// the gateway's next ChangedTx.
	GatewaysOf(ctx context.Context, ids []string) ([]gwlink.Gateway, error)
	// GrantKeys returns the keys whose grants nodes accept.
	GrantKeys(ctx context.Context) ([]gwlink.GrantKey, error)
}

// Vault seals the addresses of the session log; *vault.Vault fills it.
type Vault interface {
	Seal(ctx context.Context, ref vault.Ref, plain []byte) ([]byte, error)
	Begin(ctx context.Context, r vault.Read) (vault.Ticket, error)
	Open(ctx context.Context, t vault.Ticket, ref vault.Ref, sealed []byte) ([]byte, error)
	DestroyClass(ctx context.Context, subject id.Handle, class string) error
}

// Audit joins a leaf to the caller's transaction; *audit.Service fills it.
type Audit interface {
	AppendTx(ctx context.Context, tx *db.Tx, e audit.Event) error
}
