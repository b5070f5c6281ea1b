package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Tombstone says that keys of a person were destroyed, so that a restored
// backup can be brought to the same state (privacy specification, ERASE and
// BACKUP). It holds handles and codes only.
type Tombstone struct {
	Handle  id.Handle
	Account string   // of its owner; empty for the user of an SSL client
	Client  string   // of its user; empty for the owner of an account
	Classes []string // of the destroyed keys
	At      time.Time
}

// none stands for an empty field of a line.
const none = "-"

// line is a tombstone's form in a file: five fields, then the classes.
func (t Tombstone) line() string {
	return strings.Join(append([]string{"v1", string(t.Handle), cmp.Or(t.Account, none), cmp.Or(t.Client, none), strconv.FormatInt(db.Micros(t.At), 10)}, t.Classes...), " ") + "\n"
}

func parseTombstone(line string) (Tombstone, error) {
	f := strings.Fields(line)
	if len(f) < 6 || f[0] != "v1" {
		return Tombstone{}, errors.New("not a tombstone")
	}
	at, err := strconv.ParseInt(f[4], 10, 64)
	if err != nil {
		return Tombstone{}, fmt.Errorf("a tombstone's time: %w", err)
	}
	t := Tombstone{Handle: id.Handle(f[1]), At: db.FromMicros(at), Classes: f[5:]}
	for to, text := range map[*string]string{&t.Account: f[2], &t.Client: f[3]} {
		if text != none {
			*to = text
		}
	}
	return t, nil
}

// Bury keeps a tombstone in the key store and in file, which lies outside both
// databases. Burying twice leaves one.
func (v *Vault) Bury(ctx context.Context, file string, t Tombstone) error {
	err := v.db.InTx(ctx, func(tx *db.Tx) error {
		for _, class := range t.Classes {
			if _, err := tx.Exec(ctx, `INSERT INTO keystore_tombstone (handle, class, account, client, buried_at) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (handle, class) DO NOTHING`, t.Handle, class, t.Account, t.Client, db.Micros(t.At)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return away(wrap(err, "keeping a tombstone"))
	}
	v.mu.Lock() // two writers of one file would lose one of the lines
	defer v.mu.Unlock()
	return appendTombstone(file, t)
}

func appendTombstone(file string, t Tombstone) error {
	known, err := ReadTombstones(file)
	if err != nil {
		return err
	}
	same := func(k Tombstone) bool { return k.Handle == t.Handle && slices.Equal(k.Classes, t.Classes) }
	if slices.ContainsFunc(known, same) {
		return nil
	}
	var all strings.Builder
	for _, k := range append(known, t) {
		all.WriteString(k.line())
	}
	return durable.Replace(file, []byte(all.String()))
}

// ReadTombstones reads a file of tombstones; one that does not exist holds
// none. A line that is not a tombstone is an error: what cannot be read cannot
// be replayed, and the service must not open.
func ReadTombstones(file string) ([]Tombstone, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading tombstones: %w", err)
	}
	var all []Tombstone
	for n, line := range strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n") {
		if line == "" {
			continue
		}
		t, err := parseTombstone(line)
		if err != nil {
			return nil, fmt.Errorf("line %d of %s: %w", n+1, file, err)
		}
		all = append(all, t)
	}
	return all, nil
}

// ReplayKeys destroys again the keys that tombstones name, and buries them in
// this key store and file. It is for a key store that came from a backup, and
// changes nothing where everything is destroyed already.
func (v *Vault) ReplayKeys(ctx context.Context, file string, all []Tombstone) error {
	for _, t := range all {
		for _, class := range t.Classes {
			if err := v.destroyOld(ctx, t, class); err != nil {
				return err
			}
		}
		if err := v.Bury(ctx, file, t); err != nil {
			return err
		}
	}
	return nil
}

// destroyOld leaves the keys made after the erasure alone: a class that the law
// keeps may go on.
func (v *Vault) destroyOld(ctx context.Context, t Tombstone, class string) error {
	err := v.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, destroyKeys+" AND class = $3 AND created_at <= $4",
			db.Micros(v.clock.Now()), t.Handle, class, db.Micros(t.At))
		return err
	})
	v.purge("key:")
	return away(wrap(err, "destroying the keys of a tombstone"))
}
