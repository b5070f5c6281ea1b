package local_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/journal"
	"github.com/skybridge-cloud/skybridge/internal/client/keystore"
	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

// TestALifeOfTheClientIsListedWholeAndErased has every store write what it may,
// and holds TY-6.1: what is shown is what is stored.
func TestALifeOfTheClientIsListedWholeAndErased(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := open(t)
	now := clock.NewFake(time.Unix(1.8e9, 0))
	profiles, policies, log := profile.New(d, now), policy.New(d, now), journal.New(d, now)
	keys, err := keystore.Open(ctx, keystore.Deps{
		Dir: d, Clock: now,
		Passphrase: func(bool) ([]byte, error) { return []byte("a phrase"), nil },
		MaySeed:    func(string) (bool, error) { return true, nil },
		Permitted: func() error {
			return policies.Use(policy.KeyStore, policy.BuiltIn, func(policy.Permission) (bool, error) { return true, nil })
		},
	}, keystore.SealedFile)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profiles.Add(bundle.Profile{Name: "a", Server: "vpn.example.org:443"})
	if err != nil {
		t.Fatal(err)
	}
	texts := []bundle.Text{{Locale: "zh-CN", Title: "a", Body: "a"}, {Locale: "en", Title: "a", Body: "a"}}
	_, err = policies.Record(policy.Accept, policy.OwnText(), "en")
	for _, err := range []error{
		err,
		keys.SetPrivateKey(p.ID, []byte("key")),
		keys.SetSeed(ctx, p.ID, []byte("seed")),
		policies.Offer(policy.ScopeOf(bundle.Profile{Server: "x:1", Policy: &bundle.Policy{}}), bundle.Policy{Version: "1.0.0", Change: "major", SHA256: bundle.Digest("1.0.0", texts), Texts: texts}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	log.Logger(nil, slog.LevelInfo).Info("connected")

	found := map[string]bool{}
	items, err := d.Held(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		found[i.Purpose] = true
		if i.Purpose == local.Unregistered {
			t.Errorf("%s is registered by nobody", i.Name)
		}
	}
	for _, purpose := range []string{"profile", "acceptance", "policy", "permission", "key_index", "sealed_keys", "private_key", "token_seed", "log", "lock"} {
		if !found[purpose] {
			t.Errorf("nothing is listed for %s", purpose)
		}
	}
	if err := d.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(d.Root()); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
	if all, broken, err := profiles.All(); err != nil || len(all)+len(broken) != 0 {
		t.Errorf("got %v, %v, %v", all, broken, err)
	}
}

// TestNoStoreHasAPlaceForAPassword holds TY-2.2c: what a person types as the
// password is in no file, whatever is done with the stores meanwhile.
func TestNoStoreHasAPlaceForAPassword(t *testing.T) {
	t.Parallel()
	const canary = "Tr0ub4dor&3-canary"
	d := open(t)
	log := journal.New(d, clock.System{})
	defer log.Guard([]byte(canary))()
	log.Logger(nil, slog.LevelDebug).Error("login refused", "error", "the password "+canary+" is wrong", "password", canary)
	raw := []byte(`{"version":1,"profile":{"name":"a","server":"vpn.example.org:443","options":{"dtls":true,"kill_switch":false,"local_lan":false,"keep_seed":false},"links":{},"password":"` + canary + `"}}`)
	if _, err := bundle.Parse(raw); err == nil {
		t.Error("a bundle with a password was read")
	} else {
		log.Logger(nil, slog.LevelDebug).Error("no bundle", "error", err)
	}
	err := filepath.Walk(d.Root(), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("Tr0ub4dor")) {
			t.Errorf("%s has it", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
