package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/succession"
)

// BusinessTransfer is a transfer of the business to a successor.
type BusinessTransfer struct {
	ID          string     `json:"id" readOnly:"true"`
	Successor   string     `json:"successor" minLength:"1" maxLength:"300" doc:"Legal name"`
	Contact     string     `json:"contact" minLength:"1" maxLength:"300"`
	Region      string     `json:"region" minLength:"1" maxLength:"60" doc:"Of the successor's stores" example:"CN-mainland"`
	Key         string     `json:"key" maxLength:"400" doc:"Ed25519 public key: 32 bytes in base64, or PEM"`
	Documents   []string   `json:"documents" maxItems:"5" nullable:"false" example:"platform"`
	Change      string     `json:"change" maxLength:"300" doc:"What the successor changes of purposes or methods; empty: nothing. Else every consent to the documents waits for a new act from the day on"`
	EffectiveAt time.Time  `json:"effective_at" doc:"At least seven days ahead"`
	State       string     `json:"state" enum:"announced,signed,effective,handing_over,handed_over,lapsed,withdrawn" readOnly:"true"`
	EnteredBy   string     `json:"entered_by" readOnly:"true"`
	EnteredAt   time.Time  `json:"entered_at" readOnly:"true"`
	Signature   string     `json:"signature" readOnly:"true"`
	SignedAt    *time.Time `json:"signed_at,omitempty" readOnly:"true"`
	EndedAt     *time.Time `json:"ended_at,omitempty" readOnly:"true"`
	ToldAt      *time.Time `json:"told_at,omitempty" readOnly:"true" doc:"When everybody was told"`
}

// SuccessorStatement is what the successor signs.
type SuccessorStatement struct {
	Text string `json:"text"`
}

// SuccessorSignature is the successor's.
type SuccessorSignature struct {
	Signature string `json:"signature" minLength:"1" maxLength:"200" doc:"Ed25519 over the statement, in base64"`
}

// Successions registers transfers of the business.
func Successions(a *API, s *succession.Service) {
	const tag, base = "Staff", "/admin/successions"
	read, write := Staff(account.PermSuccessionRead), Staff(account.PermSuccessionWrite)
	Get(a, base, Operation{ID: "list-successions", Summary: "Transfers of the business, the newest first", Tag: tag, Access: read},
		func(ctx context.Context, _ *struct{}) (*Body[List[BusinessTransfer]], error) {
			all, err := s.Transfers(ctx)
			return page(all, "", err, transferOut)
		})
	Post(a, base, Operation{
		ID: "announce-succession", Summary: "Announce a transfer of the business", Tag: tag, Access: write, Status: 201,
		Detail: "People are told at once, with the successor's name and contact.",
	},
		func(ctx context.Context, in *struct{ Body BusinessTransfer }) (*Body[BusinessTransfer], error) {
			b := in.Body
			return transfer(s.Announce(ctx, Who(ctx), succession.Transfer{
				Successor: b.Successor, Contact: b.Contact, Region: b.Region, Key: b.Key, Documents: b.Documents, Change: b.Change, EffectiveAt: b.EffectiveAt,
			}))
		})
	Get(a, base+"/{id}/statement", Operation{ID: "get-succession-statement", Summary: "What the successor signs, with the digests of the policies in force", Tag: tag, Access: read},
		func(ctx context.Context, in *transferPath) (*Body[SuccessorStatement], error) {
			text, err := s.Statement(ctx, in.ID)
			return &Body[SuccessorStatement]{SuccessorStatement{text}}, err
		})
	Post(a, base+"/{id}/sign", Operation{ID: "sign-succession", Summary: "Enter the successor's signature", Tag: tag, Access: write, Status: 200},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body SuccessorSignature
		},
		) (*Body[BusinessTransfer], error) {
			return transfer(s.Sign(ctx, Who(ctx), in.ID, in.Body.Signature))
		})
	Post(a, base+"/{id}/withdraw", Operation{ID: "withdraw-succession", Summary: "Call a transfer off", Tag: tag, Access: write, Status: 200},
		func(ctx context.Context, in *transferPath) (*Body[BusinessTransfer], error) {
			return transfer(s.Withdraw(ctx, Who(ctx), in.ID))
		})
	Post(a, base+"/{id}/hand-over", Operation{
		ID: "hand-over-succession", Summary: "Record each person's transfer", Tag: tag, Access: write, Status: 200,
		Detail: "By another than who announced it, after the day. Without a signature 451.",
	},
		func(ctx context.Context, in *transferPath) (*Body[BusinessTransfer], error) {
			return transfer(s.HandOver(ctx, Who(ctx), in.ID))
		})
}

type transferPath struct {
	ID string `path:"id" maxLength:"40"`
}

func transfer(t succession.Transfer, err error) (*Body[BusinessTransfer], error) {
	if err != nil {
		return nil, err
	}
	return &Body[BusinessTransfer]{transferOut(t)}, nil
}

func transferOut(t succession.Transfer) BusinessTransfer {
	return BusinessTransfer{
		t.ID, t.Successor, t.Contact, t.Region, t.Key, t.Documents, t.Change, t.EffectiveAt, t.State, string(t.EnteredBy), t.EnteredAt, t.Signature,
		toTime(t.SignedAt), toTime(t.EndedAt), toTime(t.ToldAt),
	}
}
