package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

func TestTheBoardShowsEveryClause(t *testing.T) {
	t.Parallel()
	var text, machine strings.Builder
	nowhere := config.Default()
	nowhere.Data = t.TempDir()
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	if err := errors.Join(PolicyBoard(ctx, nowhere, false, &text, log), PolicyBoard(ctx, nowhere, true, &machine, log)); err != nil {
		t.Fatal(err)
	}
	var rows []boardRow
	if err := json.Unmarshal([]byte(machine.String()), &rows); err != nil || len(rows) != 95 {
		t.Fatalf("got %d rows, %v", len(rows), err)
	}
	for _, r := range rows {
		if !strings.Contains(text.String(), r.ID+" ") {
			t.Errorf("%s is not on the board", r.ID)
		}
		if (r.State == clause.Enforced) != (r.KilledBy != "") {
			t.Errorf("%s is %s, and what failed without its gate is %q: go run ./test/mutants -record internal/control/clause/killed.yaml %s", r.ID, r.State, r.KilledBy, r.ID)
		}
	}
	if !strings.Contains(text.String(), "95 clauses: ") {
		t.Errorf("no sum: %.100s", text.String())
	}
	if entries, err := os.ReadDir(nowhere.Data); err != nil || len(entries) > 0 {
		t.Errorf("asking made an installation: %v, %v", entries, err)
	}
}

// Of an installation the board has the last evidence.
func TestTheBoardOfAnInstallationHasItsEvidence(t *testing.T) {
	t.Parallel()
	in, ctx := install(t), context.Background()
	must(t, in.modules.evidence.Run(ctx))
	var out strings.Builder
	must(t, PolicyBoard(ctx, in.cfg, true, &out, slog.New(slog.DiscardHandler)))
	var rows []boardRow
	must(t, json.Unmarshal([]byte(out.String()), &rows))
	for _, r := range rows {
		if (r.Query != "") != (r.Evidence != nil) {
			t.Errorf("%s: query %q, evidence %+v", r.ID, r.Query, r.Evidence)
		}
	}
}

// The start refuses what nobody classified: a job's argument, a field of the API.
func TestTheStartRefusesWhatIsNotClassified(t *testing.T) {
	t.Parallel()
	in := install(t)
	empty := func() *api.API {
		return api.New(api.Options{Mux: http.NewServeMux(), Version: "1", Log: slog.New(slog.DiscardHandler)})
	}
	if err := verifyFields(in.modules.queue, empty()); err != nil {
		t.Fatal(err)
	}
	a := empty()
	api.Get(a, "/planted", api.Operation{ID: "planted", Summary: "Planted", Tag: "Policies", Access: api.Public},
		func(context.Context, *struct{}) (*api.Body[shoe], error) { return &api.Body[shoe]{}, nil })
	if err := verifyFields(in.modules.queue, a); !errors.Is(err, ErrUnclassified) || !strings.Contains(err.Error(), "shoe_size") {
		t.Errorf("a field of the API: got %v", err)
	}
	job.On(in.modules.queue, "planted", func(context.Context, shoe) error { return nil })
	if err := verifyFields(in.modules.queue, empty()); !errors.Is(err, ErrUnclassified) || !strings.Contains(err.Error(), "job planted: \"shoe_size\"") {
		t.Errorf("a job: got %v", err)
	}
}

type shoe struct {
	ShoeSize int `json:"shoe_size"`
}

func TestLintKnowsItsProfiles(t *testing.T) {
	t.Parallel()
	if err := PolicyLint("elsewhere", time.Now(), false, io.Discard); err == nil || errors.Is(err, ErrPromises) {
		t.Errorf("got %v", err)
	}
}

// The texts promise nothing that is not kept; what would be told of one that does
// is tested where clauses are judged (module consent).
func TestTheTextsPromiseWhatIsKept(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{consent.Mainland, consent.HongKong} {
		var out strings.Builder
		if err := PolicyLint(profile, time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), false, &out); err != nil {
			t.Errorf("%s: got %v, %.300s", profile, err, out.String())
		}
	}
}
