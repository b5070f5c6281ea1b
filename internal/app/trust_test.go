package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/skybridge-cloud/skybridge/internal/control/evidence"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// An installation with a person in it has every answer that the registry expects,
// and anybody may read them.
func TestAnybodySeesHowThePromisesStand(t *testing.T) {
	t.Parallel()
	in := install(t)
	in.register("alice")
	must(t, in.modules.evidence.Run(context.Background()))
	var got api.Trust
	must(t, json.Unmarshal([]byte(in.send("", http.MethodGet, "/api/v1/trust", "").text), &got))
	asked := 0
	for _, c := range got.Clauses {
		if (c.Query != "") != (c.Evidence != nil) {
			t.Errorf("%s: query %q, evidence %+v", c.ID, c.Query, c.Evidence)
		}
		if c.Evidence == nil {
			continue
		}
		asked++
		if c.Evidence.State != evidence.Expected || c.Evidence.Checks != 1 {
			t.Errorf("%s: %s: got %+v", c.ID, c.Query, c.Evidence)
		}
		if c.Query == "receipts_altered" && c.Evidence.Examined == 0 {
			t.Errorf("%s looked at nothing", c.Query)
		}
	}
	if len(got.Clauses) != 95 || asked < 20 {
		t.Errorf("%d clauses, %d with evidence", len(got.Clauses), asked)
	}
	var m api.DataMap
	text := in.send("", http.MethodGet, "/api/v1/privacy/datamap", "").text
	must(t, json.Unmarshal([]byte(text), &m))
	sum := sha256.Sum256(m.Map)
	if hex.EncodeToString(sum[:]) != m.SHA256 || m.SHA256 != got.DataMapSHA256 || !strings.Contains(string(m.Map), `"Name":"fleet_session"`) ||
		!strings.Contains(string(m.Map), `"UserName":"id.name"`) || !strings.Contains(string(m.Map), `"tombstones":"number"`) {
		t.Errorf("the map does not have its digest: %.200s", text)
	}
}

// An outsider pins the log by what anybody may read: the key and checkpoint verify
// each other, and nobody who asks has anything signed.
func TestAnybodyPinsTheLog(t *testing.T) {
	t.Parallel()
	in := install(t)
	ctx := context.Background()
	look := func() *api.TrustLog {
		var got api.Trust
		must(t, json.Unmarshal([]byte(in.send("", http.MethodGet, "/api/v1/trust", "").text), &got))
		return got.Log
	}
	if got := look(); got != nil {
		t.Fatalf("before the first checkpoint: got %+v", got)
	}
	in.register("alice")
	signed, err := in.modules.audit.Checkpoint(ctx)
	must(t, err)
	got := look()
	if got == nil || got.Checkpoint != string(signed) {
		t.Fatalf("got %+v, want the checkpoint %s", got, signed)
	}
	key, err := note.NewVerifier(got.Verifier)
	must(t, err)
	n, err := note.Open([]byte(got.Checkpoint), note.VerifierList(key))
	must(t, err)
	lines := strings.Split(n.Text, "\n")
	if lines[1] != strconv.FormatInt(got.Size, 10) || lines[2] != got.Root || !strings.HasSuffix(got.Checkpoint, "\n"+got.Signature+"\n") || got.SignedAt.IsZero() {
		t.Errorf("the parts are not those of the checkpoint: %+v", got)
	}
	in.register("bob")
	if again := look(); *again != *got {
		t.Errorf("asking signed %+v", again)
	}
}

// What is altered in the database by hand is found by the next run.
func TestEvidenceFindsWhatIsAltered(t *testing.T) {
	t.Parallel()
	in := install(t)
	in.register("alice")
	ctx := context.Background()
	for _, statement := range []string{
		"UPDATE consent_event SET purpose = 'realname' WHERE purpose = 'platform_policy'",
		"UPDATE consent_text SET body = body || 'x' WHERE document = 'platform' AND locale = 'en'",
		"UPDATE account_person SET password = 'hunter2'",
		"UPDATE audit_leaf SET handle = 'sub_x' WHERE idx = 0",
		"ALTER TABLE account_person ADD COLUMN phone TEXT NOT NULL DEFAULT ''",
	} {
		must(t, in.stores.main.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, statement)
			return err
		}))
	}
	must(t, in.modules.evidence.Run(ctx))
	all, err := in.modules.evidence.Results(ctx)
	must(t, err)
	found := map[string]string{}
	for _, r := range all {
		found[r.Query] = r.State
	}
	for _, query := range []string{"receipts_altered", "texts_altered", "passwords_readable", "log_altered", "columns_undeclared"} {
		if found[query] != evidence.Unexpected {
			t.Errorf("%s: got %s", query, found[query])
		}
	}
	if found["requests_overdue"] != evidence.Expected {
		t.Errorf("requests_overdue: got %s", found["requests_overdue"])
	}
}
