package password_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/password"
)

func TestAHashKnowsItsPassword(t *testing.T) {
	t.Parallel()
	ctx, h := context.Background(), password.NewHasher(2)
	hash, err := h.Hash(ctx, "correct horse")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("got %q, %v", hash, err)
	}
	for pw, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false} {
		if got, err := h.Verify(ctx, hash, pw); err != nil || got != want {
			t.Errorf("verify %q: got %v, %v, want %v", pw, got, err, want)
		}
	}
	again, err := h.Hash(ctx, "correct horse")
	if err != nil || again == hash {
		t.Errorf("two hashes of one password are equal: the salt is not random (%v)", err)
	}
}

func TestAMalformedHashIsAnErrorAndNoMatch(t *testing.T) {
	t.Parallel()
	h := password.NewHasher(1)
	for _, hash := range []string{
		"", "x", "$argon2id$v=19$m=19456,t=2,p=1$$", "$argon2i$v=19$m=1,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=99999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	} {
		if ok, err := h.Verify(context.Background(), hash, "x"); ok || !errors.Is(err, password.ErrHash) {
			t.Errorf("hash %q: got %v, %v, want ErrHash", hash, ok, err)
		}
	}
}

func TestAnAbsentNameCostsTheSameKindOfWork(t *testing.T) {
	t.Parallel()
	ctx, h := context.Background(), password.NewHasher(1)
	begin := time.Now()
	if err := h.VerifyAbsent(ctx, "whatever"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < time.Millisecond {
		t.Errorf("took %v: nothing was computed", took)
	}
}

func TestAHashWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h := password.NewHasher(1)
	if _, err := h.Hash(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the context is over", err)
	}
}

func TestACostlierHasherFindsOldHashesStale(t *testing.T) {
	t.Parallel()
	ctx, cheap := context.Background(), password.NewHasher(1)
	dear := cheap.WithMemory(32 * 1024)
	old, err := cheap.Hash(ctx, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := dear.Verify(ctx, old, "correct horse"); err != nil || !ok {
		t.Errorf("an old hash does not verify any more: %v, %v", ok, err)
	}
	fresh, err := dear.Hash(ctx, "correct horse")
	if err != nil || !strings.Contains(fresh, "m=32768,") {
		t.Errorf("got %q, %v", fresh, err)
	}
	if !dear.Stale(old) || dear.Stale(fresh) || cheap.Stale(old) || !dear.Stale("x") {
		t.Error("stale and fresh are confused")
	}
}

func TestGeneratedPasswords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 200 {
		pw := password.Generate(16)
		if len(pw) != 16 || password.Classes(pw) < 3 || seen[pw] {
			t.Fatalf("got a password of %d characters, %d classes, repeated: %v", len(pw), password.Classes(pw), seen[pw])
		}
		seen[pw] = true
	}
}
