package user

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/keystore"
	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/softtoken"
)

const rfcSeed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// holds tells whether a file below dir has text in it.
func holds(t *testing.T, dir, text string) bool {
	t.Helper()
	found := false
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		found = found || strings.Contains(string(b), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestASeedIsKeptByTheOperatorsLeave follows a seed from the refusal to the end.
func TestASeedIsKeptByTheOperatorsLeave(t *testing.T) {
	ctx := t.Context()
	a := &asked{yes: true}
	h, p, _ := home(t, a, nil)
	typed := []byte("otpauth://totp/S:alice?secret=" + rfcSeed)
	if err := h.ImportSeed(ctx, p, typed); !errors.Is(err, keystore.ErrSeed) {
		t.Errorf("not allowed: got %v", err)
	}
	if strings.Contains(string(typed), "secret") || a.n != 0 || keystore.Chosen(h.Dir) {
		t.Errorf("typed %q, asked %d times, opened %v", typed, a.n, keystore.Chosen(h.Dir))
	}
	if _, err := h.Token(ctx, p.ID); !errors.Is(err, keystore.ErrAbsent) || keystore.Chosen(h.Dir) {
		t.Errorf("looking: got %v", err)
	}

	h.heardSeed(ctx, p.ID, true) // the server allows it
	p, _ = h.Profiles.Find("office")
	if err := h.ImportSeed(ctx, p, []byte("correct horse")); !errors.Is(err, ErrNotSeed) || holds(t, h.Dir.Root(), "correct") {
		t.Errorf("no seed: got %v", err)
	}
	if err := h.ImportSeed(ctx, p, []byte("otpauth://totp/S:alice-canary?secret="+rfcSeed)); err != nil {
		t.Fatal(err)
	}
	if a.n != 1 {
		t.Errorf("asked %d times for the key store", a.n)
	}
	if holds(t, h.Dir.Root(), "alice-canary") {
		t.Error("the name in the link is kept")
	}
	k, err := h.Token(ctx, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if code, err := k.Code(time.Unix(59, 0)); err != nil || code != "287082" {
		t.Errorf("got %q, %v", code, err)
	}
	items, err := h.Held(ctx)
	if err != nil || !listed(items, "token_seed") {
		t.Errorf("got %v, %v: the seed is not shown", items, err)
	}

	h.heardSeed(ctx, p.ID, false) // and does not any more
	if has, err := h.HasSeed(ctx, p.ID); err != nil || has {
		t.Errorf("the seed is still there: %v, %v", has, err)
	}
	if p, _ = h.Profiles.Find("office"); p.Options.KeepSeed {
		t.Error("the profile still allows it")
	}
}

func TestAnotherKindOfTokenIsSaid(t *testing.T) {
	h, p, _ := home(t, &asked{yes: true}, nil)
	p.Options.KeepSeed, p.Options.Token = true, bundle.TokenTOTP
	soft := softtoken.New(time.Unix(4e9, 0))
	if err := h.ImportSeed(t.Context(), p, []byte(soft.CTF())); !errors.Is(err, ErrSeedKind) {
		t.Errorf("got %v", err)
	}
	p.Options.Token = bundle.TokenTOTP
	if err := h.ImportSeed(t.Context(), p, []byte(rfcSeed)); err == nil {
		t.Error("kept for a profile that does not allow it in the store") // the stored profile decides, not the copy
	}
}

func TestARemovedSeedIsGone(t *testing.T) {
	ctx := t.Context()
	h, p, _ := home(t, &asked{yes: true}, nil)
	if err := h.ForgetSeed(ctx, p.ID); !errors.Is(err, keystore.ErrAbsent) {
		t.Errorf("none: got %v", err)
	}
	keep := func() {
		p, err := h.Profiles.HeardSeed(p.ID, true)
		if err == nil {
			err = h.ImportSeed(ctx, p, []byte(rfcSeed))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	keep()
	if err := h.ForgetSeed(ctx, p.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Token(ctx, p.ID); !errors.Is(err, keystore.ErrAbsent) {
		t.Errorf("removed: got %v", err)
	}
	keep()
	if err := h.Remove(ctx, p); err != nil { // with the profile, which has no certificate
		t.Fatal(err)
	}
	if has, err := h.HasSeed(ctx, p.ID); err != nil || has {
		t.Errorf("the profile is gone and its seed is left: %v, %v", has, err)
	}
	if err := h.Erase(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestARefusedLocalNetworkStopsThatAlone: TY-2.6, also what a server proposes.
func TestARefusedLocalNetworkStopsThatAlone(t *testing.T) {
	a := &asked{}
	h, p, visits := home(t, a, nil)
	h.decide(t, policy.Accept)
	if err := h.Policy.Answer(policy.Network, true); err != nil {
		t.Fatal(err)
	}
	if h.mayReachLAN(p, Given{}) || a.n != 0 {
		t.Errorf("nobody wants it, and it was asked for %d times", a.n)
	}
	p.Options.LocalLAN = true
	var without []error
	g := Given{Without: func(err error) { without = append(without, err) }}
	for range 2 {
		if _, err := h.Login(t.Context(), p, g); errors.Is(err, policy.ErrPermissionRefused) {
			t.Errorf("the whole connection: got %v", err)
		}
	}
	if a.n != 1 || len(without) != 2 || !errors.Is(without[0], policy.ErrPermissionRefused) || visits() < 2 {
		t.Errorf("asked %d times, told %v, %d visits", a.n, without, visits())
	}
	if err := h.Policy.Answer(policy.LocalNetwork, true); err != nil {
		t.Fatal(err)
	}
	p.Options.LocalLAN = false
	if !h.mayReachLAN(p, g) || len(without) != 2 {
		t.Error("what was granted does not count for what a server proposes")
	}
}

func listed(items []local.Item, purpose string) bool {
	return slices.ContainsFunc(items, func(i local.Item) bool { return i.Purpose == purpose })
}
