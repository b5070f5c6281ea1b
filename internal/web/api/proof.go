package api

import (
	"context"
	"mime"

	proofpack "github.com/skybridge-cloud/skybridge/internal/control/proof"
)

// ProofPacks registers the pack that a person takes away.
func ProofPacks(a *API, s *proofpack.Service) {
	Post(a, "/me/proof-pack", Operation{
		ID: "make-proof-pack", Summary: "A file that shows offline what was promised to you, agreed, sent and read", Tag: "Privacy", Access: SignedIn, Secret: true,
		Detail: "A ZIP for skybridge-verify: policies, consents, disclosures, reads and the entries of the audit log about you, proven in a signed checkpoint. " +
			"It is made for a session that proved itself within ten minutes; the reading is recorded.",
	},
		func(ctx context.Context, in *struct {
			Since int64 `query:"since" minimum:"0" doc:"Size of an older checkpoint that you kept; 0 for none"`
		},
		) (*file, error) {
			b, err := s.Own(ctx, Who(ctx), in.Since)
			return &file{secretCache, "application/zip", mime.FormatMediaType("attachment", map[string]string{"filename": "proof-pack.zip"}), b}, err
		})
}
