package evidence_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/control/evidence"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

var ctx = context.Background()

func clauses() []clause.Clause {
	return []clause.Clause{
		{ID: "LT-1.1b", Evidence: clause.Evidence{Query: "strays"}}, {ID: "LT-0c", Evidence: clause.Evidence{Query: "strays"}}, {ID: "TY-0d"},
	}
}

func TestAnUnexpectedResultIsToldOnceAndSoIsItsEnd(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := consenttest.New(t, d, consent.Mainland)
		var log bytes.Buffer
		var answer evidence.Finding
		var failure error
		s, err := evidence.New(evidence.Deps{
			DB: d, Clock: r.Clock, Queue: r.Queue, Log: slog.New(slog.NewTextHandler(&log, nil)), Audit: r.Audit, Clauses: clauses(),
			Queries: map[string]evidence.Query{"strays": func(context.Context) (evidence.Finding, error) { return answer, failure }},
		})
		if err != nil {
			t.Fatal(err)
		}
		leaves := func(kind string) int {
			all, err := r.Audit.Leaves(ctx, audit.Filter{Type: kind})
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		for i, step := range []struct {
			found              int64
			failure            error
			state              string
			unexpected, ended  int
			failures, examined int64
			said               bool
		}{
			{0, nil, evidence.Expected, 0, 0, 0, 7, false},
			{2, nil, evidence.Unexpected, 1, 0, 1, 7, true},
			{2, nil, evidence.Unexpected, 1, 0, 2, 7, true},
			{0, nil, evidence.Expected, 1, 1, 2, 7, false},
			{0, errors.New("away"), evidence.Failed, 1, 1, 3, 0, true},
			{0, nil, evidence.Expected, 1, 1, 3, 7, false},
			{1, nil, evidence.Unexpected, 2, 1, 4, 7, true},
		} {
			answer, failure = evidence.Finding{Examined: 7, Found: step.found}, step.failure
			log.Reset()
			r.Clock.Advance(time.Hour)
			if err := s.Run(ctx); err != nil {
				t.Fatal(err)
			}
			all, err := s.Results(ctx)
			if err != nil || len(all) != 1 {
				t.Fatalf("got %d results, %v", len(all), err)
			}
			got := all[0]
			if got.State != step.state || got.Failures != step.failures || got.Checks != int64(i+1) || got.Finding.Examined != step.examined || !got.At.Equal(r.Clock.Now()) {
				t.Errorf("step %d: got %+v", i, got)
			}
			if leaves("evidence.unexpected") != step.unexpected || leaves("evidence.expected") != step.ended {
				t.Errorf("step %d: got %d and %d leaves", i, leaves("evidence.unexpected"), leaves("evidence.expected"))
			}
			if strings.Contains(log.String(), "level=ERROR") != step.said {
				t.Errorf("step %d: the log says %q", i, log.String())
			}
		}
	}, append(consenttest.Migrations(), evidence.Migrations())...)
}

func TestQueriesFitTheRegistry(t *testing.T) {
	t.Parallel()
	none := func(context.Context) (evidence.Finding, error) { return evidence.Finding{}, nil }
	for name, c := range map[string]struct {
		clauses []clause.Clause
		queries map[string]evidence.Query
	}{
		"a query that is not there":     {clauses(), nil},
		"a query that nobody asks for":  {nil, map[string]evidence.Query{"strays": none}},
		"two expectations of one query": {append(clauses(), clause.Clause{ID: "SUP-1", Evidence: clause.Evidence{Query: "strays", Expect: 1}}), map[string]evidence.Query{"strays": none}},
	} {
		if _, err := evidence.New(evidence.Deps{Clauses: c.clauses, Queries: c.queries}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		live, err := d.Schema(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for name := range live {
			if !strings.HasPrefix(name, "evidence_") || strings.HasSuffix(name, "_schema") {
				delete(live, name)
			}
		}
		if err := holding.Verify(evidence.Holdings(), live); err != nil {
			t.Error(err)
		}
	}, evidence.Migrations())
}
