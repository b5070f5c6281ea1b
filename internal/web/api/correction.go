package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
)

// NewEmail is an address in the place of the present one.
type NewEmail struct {
	Email string `json:"email" minLength:"3" maxLength:"254" example:"alice@example.org"`
}

// CorrectionOfMine is something about you that was corrected, and who was told.
type CorrectionOfMine struct {
	ID         string                `json:"id" example:"cor_..."`
	Fields     []string              `json:"fields" nullable:"false" doc:"Columns of the data map"`
	At         time.Time             `json:"at"`
	Recipients []CorrectionRecipient `json:"recipients" nullable:"false" doc:"Who was sent the old value; empty: nobody"`
}

// CorrectionRecipient is a recipient that is told of a correction.
type CorrectionRecipient struct {
	LegalName string     `json:"legal_name"`
	Fields    []string   `json:"fields" nullable:"false" doc:"That it was sent"`
	DueAt     time.Time  `json:"due_at"`
	ToldAt    *time.Time `json:"told_at,omitempty"`
	Receipt   string     `json:"receipt" doc:"By what it can be proved"`
}

// CorrectionTask is a recipient that a member of the staff, or an adapter, has to
// tell of a correction.
type CorrectionTask struct {
	ID        string    `json:"id" example:"ctk_..."`
	Subject   string    `json:"subject" example:"sub_..."`
	Recipient string    `json:"recipient" example:"mail.smtp"`
	LegalName string    `json:"legal_name"`
	Fields    []string  `json:"fields" nullable:"false"`
	Via       string    `json:"via" enum:"adapter,staff"`
	DueAt     time.Time `json:"due_at"`
	Own       bool      `json:"own" doc:"It is about you; somebody else does it"`
}

// CorrectionReceipt is by what it can be proved that a recipient was told.
type CorrectionReceipt struct {
	Receipt string `json:"receipt" minLength:"1" maxLength:"200" doc:"Number of the letter or ticket; no personal data"`
}

// RealNameCorrection is a verified name and number as they ought to be.
type RealNameCorrection struct {
	Case   string `json:"case" maxLength:"40" example:"dsr_..." doc:"In which the person asked for it"`
	Name   string `json:"name" maxLength:"120"`
	Number string `json:"number" maxLength:"40"`
}

// CorrectionsOf registers corrections of people's data, and who is told of them.
func CorrectionsOf(a *API, people *account.Service, s *privacy.Service, names *realname.Service) {
	Post(a, "/me/email", Operation{
		ID: "change-email", Summary: "Have a new e-mail address confirmed", Tag: "Account", Access: SignedIn, Status: 202,
		Detail: "The present one stands until the mail to the new one is answered. Needs a proof of identity within the last ten minutes.",
	},
		func(ctx context.Context, in *struct{ Body NewEmail }) (*struct{}, error) {
			return nil, people.ChangeEmail(ctx, Who(ctx), in.Body.Email, source(ctx))
		})
	Get(a, "/me/corrections", Operation{ID: "my-corrections", Summary: "What about you was corrected, and which recipients were told", Tag: "Account", Access: SignedIn},
		func(ctx context.Context, _ *struct{}) (*Body[List[CorrectionOfMine]], error) {
			all, err := s.CorrectionsOf(ctx, Who(ctx).Subject)
			return page(all, "", err, toCorrection)
		})
	Get(a, "/admin/corrections", Operation{ID: "admin-list-corrections", Summary: "Recipients that have to be told of a correction, the first due first", Tag: "Staff", Access: Staff(account.PermPrivacyHandle)},
		func(ctx context.Context, _ *struct{}) (*Body[List[CorrectionTask]], error) {
			all, err := s.Untold(ctx)
			me := Who(ctx).Subject
			return page(all, "", err, func(t privacy.Task) CorrectionTask {
				return CorrectionTask{t.ID, string(t.Subject), t.Recipient, t.LegalName, append([]string{}, t.Fields...), t.Via, t.Due, t.Subject == me}
			})
		})
	Post(a, "/admin/corrections/{id}/told", Operation{ID: "admin-correction-told", Summary: "You told the recipient", Tag: "Staff", Access: Staff(account.PermPrivacyHandle), Status: 204},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"40"`
			Body CorrectionReceipt
		},
		) (*struct{}, error) {
			return nil, s.Told(ctx, Who(ctx), in.ID, in.Body.Receipt)
		})
	Post(a, "/admin/real-name-corrections", Operation{
		ID: "admin-correct-real-name", Summary: "Have a verified name and number corrected", Tag: "Staff", Access: Staff(account.PermRealnameCorrect), Status: 202,
		Detail: "For an open case in which the person asked for it. What stands stands until the source was asked again. Needs a proof of identity within the last ten minutes.",
	},
		func(ctx context.Context, in *struct{ Body RealNameCorrection }) (*struct{}, error) {
			_, err := names.Correct(ctx, Who(ctx), realname.Correction(in.Body))
			return nil, err
		})
}

func toCorrection(c privacy.Corrected) CorrectionOfMine {
	return CorrectionOfMine{c.ID, append([]string{}, c.Fields...), c.At, Items(c.Tasks, func(t privacy.Task) CorrectionRecipient {
		return CorrectionRecipient{t.LegalName, append([]string{}, t.Fields...), t.Due, toTime(t.ToldAt), t.Receipt}
	})}
}
