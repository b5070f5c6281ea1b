package vpn

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Vault seals what belongs to the person behind an SSL client: password,
// private key, code seed. *vault.Vault fills it.
type Vault interface {
	Seal(ctx context.Context, ref vault.Ref, plain []byte) ([]byte, error)
	Begin(ctx context.Context, r vault.Read) (vault.Ticket, error)
	Open(ctx context.Context, t vault.Ticket, ref vault.Ref, sealed []byte) ([]byte, error)
}

// Corrections is told, in the transaction of the change, that columns of a person
// hold something else now; it tells whoever was sent the old value (clause
// TY-6.2). The rights desk fills it.
type Corrections interface {
	CorrectedTx(ctx context.Context, tx *db.Tx, subject id.Handle, columns ...string) error
}

// Notices counts what the operator told a person and the person has not read yet:
// the client shows it at the next login (clause LT-5.2c). The incident desk fills it.
type Notices interface {
	Unread(ctx context.Context, q db.Q, subject id.Handle) (int, error)
}

// SystemVault seals what is the installation's own: CA keys, the grant key.
// *vault.Vault fills it.
type SystemVault interface {
	SealSystem(ctx context.Context, name string, plain []byte) ([]byte, error)
	OpenSystem(ctx context.Context, name string, sealed []byte) ([]byte, error)
	DestroySystem(ctx context.Context, name string) error
}

// Audit joins a leaf to the caller's transaction. *audit.Service fills it.
type Audit interface {
	AppendTx(ctx context.Context, tx *db.Tx, e audit.Event) error
}
