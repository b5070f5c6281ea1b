package agreement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// SeedDemo records what the demonstration's recipients need and do not have,
// for a year: entries that say of themselves that they are pretended.
func (s *Service) SeedDemo(ctx context.Context) error {
	needs, err := s.Needs(ctx)
	if err != nil {
		return err
	}
	now := s.d.Clock.Now()
	for _, n := range needs {
		if n.State == Live {
			continue
		}
		switch n.Kind {
		case KindContract:
			err = s.demoContract(ctx, n.Name, now)
		case KindAssessment:
			_, err = s.RecordAssessment(ctx, Assessment{
				PIA: n.Name, SHA256: pretended(n.Name), Ends: now.AddDate(1, 0, 0),
				Necessity: "演示 / demonstration", Impact: "演示 / demonstration", Measures: "演示 / demonstration",
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) demoContract(ctx context.Context, recipient string, now time.Time) error {
	c := Contract{
		Recipient: recipient, SHA256: pretended(recipient), Begins: now, Ends: now.AddDate(1, 0, 0),
		Method: "演示 / demonstration", Safeguards: "演示 / demonstration", Supervision: "演示 / demonstration",
	}
	for _, r := range s.d.Registry.Recipients() {
		for _, op := range r.Ops {
			if r.ID == recipient {
				c.Purposes, c.Kinds = append(c.Purposes, op.Purposes...), append(c.Kinds, op.Fields...)
			}
		}
	}
	_, err := s.RecordContract(ctx, c)
	return err
}

// pretended is the digest of a document that does not exist.
func pretended(name string) string {
	sum := sha256.Sum256([]byte("demonstration: no such document: " + name))
	return hex.EncodeToString(sum[:])
}
