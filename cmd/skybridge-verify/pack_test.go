package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	proofpack "github.com/skybridge-cloud/skybridge/internal/control/proof"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// packs lets the real service write a pack of a person and one of all.
func packs(t *testing.T) (person, all []byte, key string) {
	t.Helper()
	ctx := context.Background()
	r := consenttest.New(t, dbtest.SQLite(t, append(consenttest.Migrations(), proofpack.Migrations())...), consent.Mainland)
	mine, other := id.NewHandle(), id.NewHandle()
	for _, who := range []id.Handle{mine, other} {
		r.Grant(t, who, "ses_1", consent.PlatformPolicy)
	}
	s := proofpack.New(proofpack.Deps{
		DB: r.DB, Queue: r.Queue, Vault: r.Vault, Log: slog.New(slog.DiscardHandler), Audit: r.Audit, Consent: r.Consent, Clock: r.Clock,
		Clauses: func(context.Context) (any, error) {
			return []map[string]string{{"id": "LT-0c", "state": "enforced"}}, nil
		},
		DataMap: func() ([]byte, error) { return []byte("[]"), nil },
		Build:   func() (map[string]string, error) { return map[string]string{"version": "test"}, nil },
	})
	p := account.Principal{Subject: mine, Session: "ses_1"}
	if _, err := s.Begin(ctx, p, 0); !errors.Is(err, account.ErrStepUp) {
		t.Errorf("without a fresh proof: got %v", err)
	}
	p.StepUpUntil = r.Clock.Now().Add(time.Minute)
	_, err := s.Begin(ctx, p, 0)
	must(t, err)
	must(t, r.Queue.Drain(ctx))
	one, err := s.Fetch(ctx, p)
	must(t, err)
	var every bytes.Buffer
	must(t, s.Write(ctx, proofpack.Request{Reader: vault.Reader{Class: vault.Job, Session: "prove"}}, &every))
	if strings.Contains(contents(t, one), string(other)) {
		t.Error("the pack of a person names another")
	}
	key, err = r.Audit.VerifierKey(ctx)
	must(t, err)
	return one, every.Bytes(), key
}

func contents(t *testing.T, file []byte) string {
	t.Helper()
	files, err := unpack(file)
	must(t, err)
	var all strings.Builder
	for _, text := range files {
		all.Write(text)
	}
	return all.String()
}

// changed is a pack with one file rewritten.
func changed(t *testing.T, file []byte, name, from, to string) []byte {
	t.Helper()
	files, err := unpack(file)
	must(t, err)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for n, text := range files {
		if n == name {
			if !strings.Contains(string(text), from) {
				t.Fatalf("%s has no %q", name, from)
			}
			text = []byte(strings.Replace(string(text), from, to, 1))
		}
		w, err := z.Create(n)
		must(t, err)
		_, err = w.Write(text)
		must(t, err)
	}
	must(t, z.Close())
	return out.Bytes()
}

func TestAPackHoldsAndAnAlteredOneDoesNot(t *testing.T) {
	t.Parallel()
	person, all, key := packs(t)
	for name, file := range map[string][]byte{"person": person, "all": all} {
		if facts, err := checkPack(file, key, ""); err != nil || len(facts) != len(steps) {
			t.Errorf("%s: got %q, %v", name, facts, err)
		}
		for _, c := range []struct{ file, from, to, want string }{
			{"consents.json", `"grant"`, `"refuse"`, "files: consents.json"},
			{"policies.json", "argon2id", "md5", "files: policies.json"},
			{"log/entries.jsonl", `"index":1`, `"index":2`, "files: log/entries.jsonl"},
			{"manifest.json", `"size"`, ` "size"`, "manifest.json:"},
			{"log/checkpoint", "test/log", "best/log", "log/checkpoint:"},
		} {
			if _, err := checkPack(changed(t, file, c.file, c.from, c.to), key, ""); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%s, %s altered: got %v, want %q", name, c.file, err, c.want)
			}
		}
	}
}
