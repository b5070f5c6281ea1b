package keystore

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

var now = time.Unix(1.8e9, 0).UTC()

func deps(t *testing.T) Deps {
	t.Helper()
	dir, err := local.Open(filepath.Join(t.TempDir(), "skyconnect"))
	if err != nil {
		t.Fatal(err)
	}
	return Deps{
		Dir: dir, Clock: clock.NewFake(now),
		Passphrase: func(bool) ([]byte, error) { return []byte("correct horse"), nil },
		MaySeed:    func(string) (bool, error) { return true, nil },
	}
}

func opened(t *testing.T, d Deps, p Place) *Keys {
	t.Helper()
	k, err := Open(t.Context(), d, p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func story(t *testing.T, k *Keys) {
	ctx := t.Context()
	if _, err := k.PrivateKey(ctx, "prf_a"); !errors.Is(err, ErrAbsent) {
		t.Errorf("absent: got %v", err)
	}
	key := bytes.Repeat([]byte{0, 1, 0xff}, 100)
	for _, err := range []error{
		k.SetPrivateKey("prf_a", []byte("former")), k.SetPrivateKey("prf_a", key),
		k.SetPrivateKey("prf_b", key), k.SetSeed(ctx, "prf_a", []byte("GEZDGNBVGY3TQOJQ")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err := k.PrivateKey(ctx, "prf_a"); err != nil || !bytes.Equal(got, key) {
		t.Errorf("got %x, %v", got, err)
	}
	if got, err := k.Seed(ctx, "prf_a"); err != nil || string(got) != "GEZDGNBVGY3TQOJQ" {
		t.Errorf("got %q, %v", got, err)
	}
	if items, err := k.Dir.Held(ctx); err != nil || count(items, string(k.Place())) != 3 || count(items, local.Unregistered) != 0 {
		t.Errorf("got %v, %v, want three secrets", items, err)
	}
	if err := k.Forget("prf_a"); err != nil {
		t.Fatal(err)
	}
	if kinds, err := k.Has(ctx, "prf_a"); err != nil || len(kinds) != 0 {
		t.Errorf("forgotten: got %v, %v", kinds, err)
	}
	if kinds, err := k.Has(ctx, "prf_b"); err != nil || !cmp.Equal(kinds, []Kind{PrivateKey}) {
		t.Errorf("another profile's: got %v, %v", kinds, err)
	}
	if err := k.Dir.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	if all, err := k.store.List(ctx); err != nil || len(all) != 0 {
		t.Errorf("erased: got %v, %v", all, err)
	}
}

func count(items []local.Item, what string) (n int) {
	for _, i := range items {
		if i.Where == what || i.Purpose == what {
			n++
		}
	}
	return n
}

// TestAPasswordHasNoPlace holds TY-2.2c: there is no kind for it.
func TestAPasswordHasNoPlace(t *testing.T) {
	t.Parallel()
	if got := Kinds(); !cmp.Equal(got, []Kind{"private-key", "token-seed"}) {
		t.Fatalf("got kinds %v", got)
	}
	k := opened(t, deps(t), PlainFile)
	for _, kind := range []Kind{"password", "cookie", "", "Private-Key"} {
		if err := k.store.Set(t.Context(), "prf_a", kind, []byte("hunter2")); !errors.Is(err, ErrKind) {
			t.Errorf("%q: got %v", kind, err)
		}
	}
	if err := k.SetPrivateKey("prf_a", make([]byte, maxSecret+1)); !errors.Is(err, ErrLarge) {
		t.Errorf("too large: got %v", err)
	}
}

func TestASeedIsKeptOnlyWhileItsOperatorAllowsIt(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := deps(t)
	may := false
	d.MaySeed = func(string) (bool, error) { return may, nil }
	k := opened(t, d, PlainFile)
	if err := k.SetSeed(ctx, "prf_a", []byte("seed")); !errors.Is(err, ErrSeed) {
		t.Errorf("not allowed: got %v", err)
	}
	may = true
	if err := k.SetSeed(ctx, "prf_a", []byte("seed")); err != nil {
		t.Fatal(err)
	}
	may = false
	if _, err := k.Seed(ctx, "prf_a"); !errors.Is(err, ErrSeed) {
		t.Errorf("not allowed any more: got %v", err)
	}
	if kinds, err := k.Has(ctx, "prf_a"); err != nil || len(kinds) != 0 {
		t.Errorf("got %v, %v, want the seed gone", kinds, err)
	}
	unknown := errors.New("profile is broken")
	k.MaySeed = func(string) (bool, error) { return false, unknown }
	if err := k.SetSeed(ctx, "prf_a", []byte("seed")); !errors.Is(err, unknown) {
		t.Errorf("nobody knows: got %v", err)
	}
}

func TestAPermissionThatWasRefusedKeepsNothing(t *testing.T) {
	t.Parallel()
	d := deps(t)
	refused := errors.New("refused")
	d.Permitted = func() error { return refused }
	k := opened(t, d, SealedFile)
	if err := k.SetPrivateKey("prf_a", []byte("key")); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(d.Dir.Root(), sealedFile)); !os.IsNotExist(err) {
		t.Errorf("there is a file: %v", err)
	}
}

func TestASealedFileOpensByItsPassphraseAlone(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := deps(t)
	if err := opened(t, d, SealedFile).SetPrivateKey("prf_a", []byte("MIGHAgEAMBMGBy")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(d.Dir.Root(), sealedFile))
	if err != nil || bytes.Contains(text, []byte("MIGH")) || bytes.Contains(text, []byte("TUlHSEFnRUFNQk1HQnk")) {
		t.Fatalf("the key is readable: %v", err)
	}
	for phrase, want := range map[string]error{"": ErrPassphrase, "wrong": ErrPassphrase, "correct horse": nil} {
		d.Passphrase = func(anew bool) ([]byte, error) {
			if anew {
				t.Error("asked for a new passphrase for a file that has one")
			}
			return []byte(phrase), nil
		}
		k := opened(t, d, "")
		if _, err := k.PrivateKey(ctx, "prf_a"); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", phrase, err, want)
		}
		if err := k.SetPrivateKey("prf_b", []byte("key")); !errors.Is(err, want) {
			t.Errorf("%q, keeping another: got %v, want %v", phrase, err, want)
		}
		if all, err := k.Has(ctx, "prf_a"); err != nil || len(all) != 1 {
			t.Errorf("listing needs no passphrase: got %v, %v", all, err)
		}
	}
}

func TestASecretIsBoundToItsNameInASealedFile(t *testing.T) {
	t.Parallel()
	d := deps(t)
	k := opened(t, d, SealedFile)
	for _, p := range []string{"prf_a", "prf_b"} {
		if err := k.SetPrivateKey(p, []byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := d.Dir.Read(sealedFile, maxFile)
	if err != nil {
		t.Fatal(err)
	}
	swapped := strings.NewReplacer("prf_a", "prf_b", "prf_b", "prf_a").Replace(string(text))
	if err := d.Dir.Replace(sealedFile, []byte(swapped)); err != nil {
		t.Fatal(err)
	}
	if got, err := k.PrivateKey(t.Context(), "prf_a"); !errors.Is(err, ErrBroken) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestABrokenFileOfKeysIsSaid(t *testing.T) {
	t.Parallel()
	salt := `"AAAAAAAAAAAAAAAAAAAAAA=="`
	check := `"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="`
	for name, text := range map[string]string{
		"no JSON":           "x",
		"another version":   `{"version":2,"entries":[]}`,
		"plain in sealed":   `{"version":1,"entries":[]}`,
		"eats the machine":  `{"version":1,"seal":{"salt":` + salt + `,"rounds":3,"memory_kib":4294967295,"threads":4,"check":` + check + `},"entries":[]}`,
		"runs for ever":     `{"version":1,"seal":{"salt":` + salt + `,"rounds":4294967295,"memory_kib":65536,"threads":4,"check":` + check + `},"entries":[]}`,
		"a seal of nothing": `{"version":1,"seal":{"salt":"","rounds":0,"memory_kib":0,"threads":0,"check":""},"entries":[]}`,
		"an unknown key":    `{"version":1,"password":"x","entries":[]}`,
	} {
		d := deps(t)
		if err := d.Dir.Replace(sealedFile, []byte(text)); err != nil {
			t.Fatal(err)
		}
		k := opened(t, d, SealedFile)
		if _, err := k.PrivateKey(t.Context(), "prf_a"); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: got %v", name, err)
		}
		if err := k.SetPrivateKey("prf_a", []byte("key")); !errors.Is(err, ErrBroken) {
			t.Errorf("%s, keeping: got %v", name, err)
		}
	}
}

func TestTheChoiceIsRecordedAndNotLeftWithSecretsInIt(t *testing.T) {
	t.Parallel()
	d := deps(t)
	if err := d.Dir.Replace(choiceFile, []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), d, ""); !errors.Is(err, ErrBroken) {
		t.Errorf("a broken choice: got %v", err)
	}
	if err := d.Dir.Remove(choiceFile); err != nil {
		t.Fatal(err)
	}
	k := opened(t, d, PlainFile)
	if err := k.SetPrivateKey("prf_a", []byte("key")); err != nil {
		t.Fatal(err)
	}
	if again := opened(t, d, ""); again.Place() != PlainFile {
		t.Errorf("got %s, want what was chosen", again.Place())
	}
	if _, err := Open(t.Context(), d, SealedFile); !errors.Is(err, ErrChosen) {
		t.Errorf("another place: got %v", err)
	}
	if err := k.Forget("prf_a"); err != nil {
		t.Fatal(err)
	}
	if moved := opened(t, d, SealedFile); moved.Place() != SealedFile {
		t.Errorf("got %s", moved.Place())
	}
}

// Of two programs that keep a secret at once, both are kept.
func TestTwoProgramsKeepSecretsAtOnce(t *testing.T) {
	t.Parallel()
	d := deps(t)
	done := make(chan error, 8)
	for i := range 8 {
		go func() {
			s := &fileStore{dir: d.Dir, clock: d.Clock, name: plainFile}
			done <- s.Set(context.Background(), "prf_"+string(rune('a'+i)), PrivateKey, []byte("key"))
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	s := &fileStore{dir: d.Dir, clock: d.Clock, name: plainFile}
	if all, err := s.List(t.Context()); err != nil || len(all) != 8 {
		t.Errorf("got %d, %v", len(all), err)
	}
}
