package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/web/api"
)

// trust answers what anybody may see of the promises.
func (m *modules) trust() api.TrustSource {
	return api.TrustSource{
		DataMap: publishedMap,
		Trust: func(ctx context.Context) (api.Trust, error) {
			rows, err := m.boardRows(ctx)
			if err != nil {
				return api.Trust{}, err
			}
			published, err := publishedMap()
			t := api.Trust{Clauses: make([]api.TrustClause, 0, len(rows)), DataMapSHA256: published.SHA256, Program: Version()}
			for _, r := range rows {
				t.Clauses = append(t.Clauses, r.public())
			}
			if err != nil {
				return t, err
			}
			pin, err := m.audit.Pin(ctx)
			switch {
			case errors.Is(err, audit.ErrEmpty):
				return t, nil
			case err == nil:
				t.Log = publicPin(pin)
			}
			return t, err
		},
	}
}

// publicPin is a checkpoint with its parts named. A note ends with its signature line.
func publicPin(p audit.Pin) *api.TrustLog {
	lines := strings.Split(strings.TrimSuffix(p.Note, "\n"), "\n")
	return &api.TrustLog{
		Verifier: p.Verifier, Checkpoint: p.Note, Size: p.Size, Root: p.Root, Signature: lines[len(lines)-1], SignedAt: p.At,
	}
}

func (r boardRow) public() api.TrustClause {
	c := api.TrustClause{
		ID: r.ID, State: string(r.State), Must: r.Must, MustZH: r.MustZH, EnforcedBy: r.EnforcedBy, Tests: r.Tests, KilledBy: r.KilledBy, Planned: r.Planned, Query: r.Query,
	}
	if e := r.Evidence; e != nil {
		c.Evidence = &api.TrustEvidence{State: e.State, Examined: e.Examined, Found: e.Found, Checks: e.Checks, CheckedAt: e.At}
	}
	return c
}

func publishedMap() (api.DataMap, error) {
	text, err := DataMap()
	sum := sha256.Sum256(text)
	return api.DataMap{SHA256: hex.EncodeToString(sum[:]), Map: text}, err
}
