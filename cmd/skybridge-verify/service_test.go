package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// auditor is signed in whatever the token.
type auditor struct{}

func (auditor) Authenticate(context.Context, string) (account.Principal, error) {
	return account.Principal{Staff: true, Permissions: account.AllPermissions()}, nil
}

// TestWhatTheServiceAnswersHolds lets the real service write and this program
// check: the two share no code.
func TestWhatTheServiceAnswersHolds(t *testing.T) {
	t.Parallel()
	ctx, quiet, now := context.Background(), slog.New(slog.DiscardHandler), clock.NewFake(time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC))
	kek, err := vault.FileKEK(filepath.Join(t.TempDir(), "kek"))
	must(t, err)
	v, err := vault.New(ctx, vault.Deps{DB: dbtest.SQLite(t, vault.Migrations()), Custodian: kek, Clock: now, Log: quiet})
	must(t, err)
	d := dbtest.SQLite(t, audit.Migrations())
	s := audit.New(audit.Deps{DB: d, Vault: v, Clock: now, Log: quiet, Origin: "console.example.org/log"})
	mux := http.NewServeMux()
	api.Audit(api.New(api.Options{Mux: mux, Version: "test", Sessions: auditor{}, Log: quiet}), s)
	write := func(n int) {
		for range n {
			must(t, d.InTx(ctx, func(tx *db.Tx) error {
				return s.AppendTx(ctx, tx, audit.Event{Type: "realname.submitted", Subject: "sub_a", Actor: audit.Actor{Class: "self"}})
			}))
		}
	}
	get := func(path string) []byte {
		r := httptest.NewRequest("GET", "/api/v1/admin/audit-log/"+path, nil)
		r.Header.Set("Authorization", "Bearer x")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w.Body.Bytes()
	}
	write(7)
	var first struct{ Note, Verifier string }
	must(t, json.Unmarshal(get("checkpoint"), &first))
	write(6)
	facts, err := check(get("proof?index=4&from=7"), first.Verifier)
	if err != nil || len(facts) != 3 {
		t.Errorf("got %q, %v", facts, err)
	}
	if facts, err := check([]byte(first.Note), first.Verifier); err != nil || len(facts) != 1 {
		t.Errorf("the checkpoint alone: got %q, %v", facts, err)
	}
}
