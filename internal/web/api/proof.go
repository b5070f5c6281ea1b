package api

import (
	"context"
	"errors"
	"mime"
	"time"

	proofpack "github.com/skybridge-cloud/skybridge/internal/control/proof"
)

// ProofPack is how far the pack is that a person asked for.
type ProofPack struct {
	State   string     `json:"state" enum:"none,making,ready,failed" doc:"ready: it can be downloaded until its time is over; none: it is over, or none was asked for"`
	Percent int64      `json:"percent" minimum:"0" maximum:"100" doc:"How much of it is made"`
	Problem string     `json:"problem,omitempty" enum:"no_size,error" doc:"Of a failed one. no_size: no checkpoint of the size that you kept was signed"`
	Size    int64      `json:"size" doc:"Bytes, once it is made"`
	SHA256  string     `json:"sha256"`
	AskedAt *time.Time `json:"asked_at,omitempty"`
	MadeAt  *time.Time `json:"made_at,omitempty"`
	Until   *time.Time `json:"until,omitempty" doc:"The first moment at which it is gone"`
}

func toProofPack(p proofpack.Pack) ProofPack {
	return ProofPack{string(p.State), p.Percent, p.Problem, p.Size, p.Digest, toTime(p.AskedAt), toTime(p.MadeAt), toTime(p.Until)}
}

// ProofPacks registers the pack that a person takes away.
func ProofPacks(a *API, s *proofpack.Service) {
	const path, tag = "/me/proof-pack", "Privacy"
	Post(a, path, Operation{
		ID: "make-proof-pack", Summary: "Have a file made that shows offline what was promised to you, agreed, sent and read", Tag: tag, Access: SignedIn, Status: 202,
		Detail: "A ZIP for skybridge-verify: policies, consents, disclosures, reads and the entries of the audit log about you, proven in a signed checkpoint. " +
			"It is asked for by a session that proved itself within ten minutes; the reading is recorded. A job makes it; one that is being made goes on.",
	},
		func(ctx context.Context, in *struct {
			Since int64 `query:"since" minimum:"0" doc:"Size of an older checkpoint that you kept; 0 for none"`
		},
		) (*Body[ProofPack], error) {
			p, err := s.Begin(ctx, Who(ctx), in.Since)
			return &Body[ProofPack]{toProofPack(p)}, err
		})
	Get(a, path, Operation{ID: "read-proof-pack", Summary: "How far your proof pack is", Tag: tag, Access: SignedIn},
		func(ctx context.Context, _ *struct{}) (*Body[ProofPack], error) {
			p, err := s.Of(ctx, Who(ctx))
			if errors.Is(err, proofpack.ErrNone) {
				return &Body[ProofPack]{ProofPack{State: "none"}}, nil
			}
			return &Body[ProofPack]{toProofPack(p)}, err
		})
	Post(a, path+"/download", Operation{
		ID: "fetch-proof-pack", Summary: "The file of your proof pack", Tag: tag, Access: SignedIn, Secret: true,
		Detail: "For 24 hours after it was made, by a session that proved itself within ten minutes; each time is a read that you see.",
	},
		func(ctx context.Context, _ *struct{}) (*file, error) {
			b, err := s.Fetch(ctx, Who(ctx))
			return &file{secretCache, "application/zip", mime.FormatMediaType("attachment", map[string]string{"filename": "proof-pack.zip"}), b}, err
		})
}
