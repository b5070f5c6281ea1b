package vault

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// systemHandle owns the keys of system secrets. It is not a person.
const systemHandle id.Handle = "system"

// New opens the key store, whose tables must be migrated. It fails with
// ErrUnavailable when the key store was made with another key than the
// custodian's: then the right key file must be restored first.
func New(ctx context.Context, d Deps) (*Vault, error) {
	v := &Vault{db: d.DB, custodian: d.Custodian, clock: d.Clock, log: d.Log, cache: map[string]cachedKey{}}
	if v.log == nil {
		v.log = slog.Default()
	}
	proof, err := v.held().Wrap(ctx, []byte("key store"), bound("kek", v.held().ID()))
	if err != nil {
		return nil, away(fmt.Errorf("asking the custodian: %w", err))
	}
	var id string
	var kept []byte
	err = d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO keystore_kek (id, suite, state, proof, created_at)
			SELECT $1, $2, 'live', $3, $4 WHERE NOT EXISTS (SELECT 1 FROM keystore_kek WHERE state = 'live')`,
			v.held().ID(), suiteStd, proof, db.Micros(v.clock.Now()))
		if err != nil {
			return err
		}
		_, err = db.Get(ctx, tx, errNoKey, func(r db.Row) (struct{}, error) { return struct{}{}, r.Scan(&id, &kept) },
			"SELECT id, proof FROM keystore_kek WHERE state = 'live'")
		return err
	})
	if err != nil {
		return nil, away(fmt.Errorf("opening the key store: %w", err))
	}
	if _, err := v.held().Unwrap(ctx, kept, bound("kek", id)); err != nil || id != v.held().ID() {
		return nil, away(fmt.Errorf("the key store was made with key %s, the custodian has %s", id, v.held().ID()))
	}
	return v, nil
}

// aad binds a value to its place; salted tells the two forms apart.
func (r Ref) aad(salted bool) []byte {
	form := strconv.Itoa(version)
	if salted {
		form += "s"
	}
	return bound(r.Table, r.Column, r.Row, string(r.Subject), r.Class, form)
}

// Seal encrypts a value for its place. It is safe inside a transaction of the
// main database: the key store is another one.
func (v *Vault) Seal(ctx context.Context, ref Ref, plain []byte) ([]byte, error) {
	return v.seal(ctx, ref, plain, false)
}

func (v *Vault) seal(ctx context.Context, ref Ref, plain []byte, salted bool) ([]byte, error) {
	k, key, err := v.keyFor(ctx, ref.Subject, ref.Class)
	if err != nil {
		return nil, fmt.Errorf("sealing %s: %w", ref.Field(), err)
	}
	raw, err := hex.DecodeString(k.id)
	if err != nil {
		return nil, fmt.Errorf("sealing %s: key id: %w", ref.Field(), err)
	}
	locked, err := lock(key, plain, ref.aad(salted))
	if err != nil {
		return nil, fmt.Errorf("sealing %s: %w", ref.Field(), err)
	}
	out := append(make([]byte, 0, header+len(locked)), version, suiteStd)
	return append(append(out, raw...), locked...), nil
}

// Open decrypts a value with a ticket of its subject that lists its field and
// is at most TicketLife old. Errors: ErrTicket, ErrIntegrity, ErrErased,
// ErrUnavailable.
func (v *Vault) Open(ctx context.Context, t Ticket, ref Ref, sealed []byte) ([]byte, error) {
	if err := v.check(t, ref); err != nil {
		return nil, err
	}
	return v.open(ctx, ref, sealed, false)
}

func (v *Vault) check(t Ticket, ref Ref) error {
	ok := t.event != "" && t.subject == ref.Subject && slices.Contains(t.fields, ref.Field()) && !v.clock.Now().After(t.until)
	if !ok && !mutant.Off("TY-5.1b", "LT-5.2b") {
		return ErrTicket
	}
	return nil
}

func (v *Vault) open(ctx context.Context, ref Ref, sealed []byte, salted bool) ([]byte, error) {
	if len(sealed) < minSealed || sealed[0] != version || sealed[1] != suiteStd {
		return nil, v.alarm(ref)
	}
	k, err := v.keyByID(ctx, sealed[2:header])
	if err != nil {
		if errors.Is(err, ErrIntegrity) {
			return nil, v.alarm(ref)
		}
		return nil, fmt.Errorf("opening %s: %w", ref.Field(), err)
	}
	if k.handle != ref.Subject || k.class != ref.Class {
		return nil, v.alarm(ref) // or any destroyed key would pass for the one of an erased value
	}
	key, err := v.plain(ctx, k)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", ref.Field(), err)
	}
	plain, err := unlock(key, sealed[header:], ref.aad(salted))
	if err != nil {
		return nil, v.alarm(ref)
	}
	return plain, nil
}

func (v *Vault) alarm(ref Ref) error {
	v.log.Error("a sealed value does not belong where it stands", "table", ref.Field(), "row", ref.Row)
	return fmt.Errorf("opening %s: %w", ref.Field(), ErrIntegrity)
}

// SealSystem encrypts a secret of the system, such as a CA key or a signing
// key. name says which one and is bound to it; each name has its own key.
func (v *Vault) SealSystem(ctx context.Context, name string, plain []byte) ([]byte, error) {
	return v.seal(ctx, systemRef(name), plain, false)
}

// OpenSystem is the inverse of SealSystem. It needs no ticket: what it opens is
// no person's.
func (v *Vault) OpenSystem(ctx context.Context, name string, sealed []byte) ([]byte, error) {
	return v.open(ctx, systemRef(name), sealed, false)
}

func systemRef(name string) Ref {
	return Ref{Table: "system", Column: name, Subject: systemHandle, Class: "system:" + name}
}

// Commitment is SHA-256 of a 32-byte random salt and a value.
type Commitment [sha256.Size]byte

const saltSize = 32

// SealSalted encrypts a value together with a fresh salt and returns the
// commitment to both. Once the key is destroyed the commitment tells nothing.
// An empty subject means the system.
func (v *Vault) SealSalted(ctx context.Context, ref Ref, plain []byte) ([]byte, Commitment, error) {
	body := append(random(saltSize), plain...)
	sealed, err := v.seal(ctx, ref.orSystem(), body, true)
	return sealed, sha256.Sum256(body), err
}

// CommitmentOf computes the commitment again from the ciphertext. It reveals
// nothing, the salt being unknown, and therefore needs no ticket.
func (v *Vault) CommitmentOf(ctx context.Context, ref Ref, sealed []byte) (Commitment, error) {
	body, err := v.open(ctx, ref.orSystem(), sealed, true)
	if err != nil {
		return Commitment{}, err
	}
	return sha256.Sum256(body), nil
}

// OpenSalted decrypts what SealSalted made; a system's value needs no ticket.
func (v *Vault) OpenSalted(ctx context.Context, t Ticket, ref Ref, sealed []byte) ([]byte, error) {
	_, plain, err := v.Reveal(ctx, t, ref, sealed)
	return plain, err
}

// Reveal is OpenSalted with the salt, from which anybody computes the commitment
// again: SHA-256 of salt and value.
func (v *Vault) Reveal(ctx context.Context, t Ticket, ref Ref, sealed []byte) (salt, plain []byte, err error) {
	if ref.Subject != "" {
		if err := v.check(t, ref); err != nil {
			return nil, nil, err
		}
	}
	body, err := v.open(ctx, ref.orSystem(), sealed, true)
	if err != nil {
		return nil, nil, err
	}
	if len(body) < saltSize {
		return nil, nil, v.alarm(ref)
	}
	return body[:saltSize:saltSize], body[saltSize:], nil
}

func (r Ref) orSystem() Ref {
	r.Subject = r.Owner()
	return r
}

// Owner is whose key seals a salted value: its subject's, or the system's if it
// has none.
func (r Ref) Owner() id.Handle {
	if r.Subject == "" {
		return systemHandle
	}
	return r.Subject
}

// Matches reports whether a salted value is exactly plain, without revealing
// it. It needs no ticket: the caller already knows what it compares with.
func (v *Vault) Matches(ctx context.Context, ref Ref, sealed, plain []byte) (bool, error) {
	body, err := v.open(ctx, ref.orSystem(), sealed, true)
	if err != nil {
		return false, err
	}
	return len(body) >= saltSize && subtle.ConstantTimeCompare(body[saltSize:], plain) == 1, nil
}
