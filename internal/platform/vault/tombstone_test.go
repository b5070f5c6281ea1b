package vault_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// A key store that comes back from a backup opens nothing that was erased, and
// still opens what was sealed after the erasure.
func TestATombstoneDestroysTheKeysOfARestoredStoreAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		file := filepath.Join(t.TempDir(), "tombstones")
		old, err := r.v.Seal(ctx, ref(), []byte("secret")) // the store as the backup has it
		must(t, err)
		r.clock.Advance(time.Hour)
		tomb := vault.Tombstone{Handle: ref().Subject, Account: "acc_1", Classes: []string{ref().Class, "account_core"}, At: r.clock.Now()}
		for range 2 {
			must(t, r.v.ReplayKeys(ctx, file, []vault.Tombstone{tomb}))
		}
		if _, err := r.v.Open(ctx, r.ticket(t, ref()), ref(), old); !errors.Is(err, vault.ErrErased) {
			t.Errorf("an erased value opens: %v", err)
		}
		r.clock.Advance(time.Second)
		fresh, err := r.v.Seal(ctx, ref(), []byte("later"))
		must(t, err)
		must(t, r.v.ReplayKeys(ctx, file, []vault.Tombstone{tomb}))
		if _, err := r.v.Open(ctx, r.ticket(t, ref()), ref(), fresh); err != nil {
			t.Errorf("a replay destroyed a key made after the erasure: %v", err)
		}
		kept, err := vault.ReadTombstones(file)
		if err != nil || !reflect.DeepEqual(kept, []vault.Tombstone{tomb}) {
			t.Errorf("the file holds %v, %v; want the one tombstone", kept, err)
		}
	})
}

func TestAFileThatIsNotOneOfTombstonesIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tombstones")
	if all, err := vault.ReadTombstones(file); err != nil || len(all) != 0 {
		t.Errorf("no file: %v, %v", all, err)
	}
	for _, text := range []string{"v1 sub_a acc_1 -\n", "v2 sub_a acc_1 - 1 x\n", "v1 sub_a acc_1 - soon x\n", "\x00\x00"} {
		must(t, os.WriteFile(file, []byte(text), 0o600))
		if _, err := vault.ReadTombstones(file); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
