package vault_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

func TestKeysMoveToAnotherCustodian(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		sealed, err := r.v.Seal(ctx, ref(), []byte("secret"))
		must(t, err)
		index, err := r.v.Blind(ctx, "number", "A")
		must(t, err)
		gone := ref()
		gone.Subject = "sub_gone"
		_, err = r.v.Seal(ctx, gone, []byte("x"))
		must(t, err)
		must(t, r.v.DestroySubject(ctx, "sub_gone"))
		next, err := vault.FileKEK(filepath.Join(t.TempDir(), "next"))
		must(t, err)
		must(t, r.v.Rewrap(ctx, next))

		if _, err := vault.New(ctx, vault.Deps{DB: r.db, Custodian: r.kek, Clock: r.clock}); !errors.Is(err, vault.ErrUnavailable) {
			t.Errorf("the old custodian still opens the key store: %v", err)
		}
		fresh, err := vault.New(ctx, vault.Deps{DB: r.db, Custodian: next, Clock: r.clock})
		must(t, err)
		fresh.Bind(r.log, gate{})
		for _, v := range []*vault.Vault{r.v, fresh} {
			got, err := v.Open(ctx, r.ticket(t, ref()), ref(), sealed)
			if err != nil || string(got) != "secret" {
				t.Errorf("got %q, %v", got, err)
			}
			if again, err := v.Blind(ctx, "number", "A"); err != nil || again != index {
				t.Errorf("the index changed: %s, %v", again, err)
			}
		}
		if _, err := fresh.Seal(ctx, gone, []byte("x")); !errors.Is(err, vault.ErrErased) {
			t.Errorf("an erased person has a key again: %v", err)
		}
	})
}
