package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/contact"
)

// OptionalContact is what the signed-in person added. Nothing asks for any of it.
type OptionalContact struct {
	PhoneOffered bool       `json:"phone_offered" doc:"This installation sends SMS, so that a number can be added"`
	Phone        string     `json:"phone" doc:"E.164; empty: none"`
	PhoneAt      *time.Time `json:"phone_confirmed_at,omitempty"`
	PhoneWaiting bool       `json:"phone_waiting" doc:"A number waits for the code that was sent to it"`
	QQ           string     `json:"qq"`
	Country      string     `json:"country"`
	Province     string     `json:"province"`
	City         string     `json:"city"`
}

// PhoneEntry is a number that a code is sent to.
type PhoneEntry struct {
	Phone        string `json:"phone" minLength:"5" maxLength:"24" example:"+8613800000000"`
	ConsentToken string `json:"consent_token,omitempty" maxLength:"1024" doc:"Of GET /consent-prompts/contact.phone; empty while its act stands"`
}

// PhoneConfirmation is the code that was sent.
type PhoneConfirmation struct {
	Code string `json:"code" minLength:"6" maxLength:"6"`
}

// QQEntry is a QQ number.
type QQEntry struct {
	QQ           string `json:"qq" minLength:"5" maxLength:"11" example:"10001"`
	ConsentToken string `json:"consent_token,omitempty" maxLength:"1024" doc:"Of GET /consent-prompts/contact.qq; empty while its act stands"`
}

// PlaceEntry is where a person lives, as far as they say.
type PlaceEntry struct {
	Country      string `json:"country,omitempty" maxLength:"2" example:"CN"`
	Province     string `json:"province,omitempty" maxLength:"40"`
	City         string `json:"city,omitempty" maxLength:"40"`
	ConsentToken string `json:"consent_token,omitempty" maxLength:"1024" doc:"Of GET /consent-prompts/contact.region; empty while its act stands"`
}

// OptionalContacts registers what a person may add to an account and take away.
func OptionalContacts(a *API, s *contact.Service) {
	const tag = "Account"
	Get(a, "/me/optional-contact", Operation{
		ID: "my-optional-contact", Summary: "Telephone number, QQ number and place that you added; reading them is noted among your reads", Tag: tag, Access: SignedIn,
	},
		func(ctx context.Context, _ *struct{}) (*Body[OptionalContact], error) {
			o, err := s.Mine(ctx, Who(ctx))
			if err != nil {
				return nil, err
			}
			return &Body[OptionalContact]{OptionalContact{
				s.Sends(), o.Phone, toTime(o.PhoneAt), o.PhoneWaiting, o.QQ, o.Place.Country, o.Place.Province, o.Place.City,
			}}, nil
		})
	Post(a, "/me/phone", Operation{
		ID: "ask-phone-code", Summary: "Add a telephone number: a code is sent to it", Tag: tag, Access: SignedIn, Status: 202,
		Detail: "Needs a confirmed e-mail address and a proof of identity within the last ten minutes. The answer is the same whatever is known of the number.",
	},
		func(ctx context.Context, in *struct{ Body PhoneEntry }) (*struct{}, error) {
			return nil, s.Ask(ctx, Who(ctx), in.Body.Phone, in.Body.ConsentToken, source(ctx))
		})
	Post(a, "/me/phone/confirm", Operation{ID: "confirm-phone", Summary: "Confirm a telephone number by the code", Tag: tag, Access: SignedIn, Status: 204},
		func(ctx context.Context, in *struct{ Body PhoneConfirmation }) (*struct{}, error) {
			return nil, s.Confirm(ctx, Who(ctx), in.Body.Code)
		})
	Post(a, "/me/qq", Operation{ID: "set-qq", Summary: "Add a QQ number, for tickets", Tag: tag, Access: SignedIn, Status: 204},
		func(ctx context.Context, in *struct{ Body QQEntry }) (*struct{}, error) {
			return nil, s.SetQQ(ctx, Who(ctx), in.Body.QQ, in.Body.ConsentToken)
		})
	Post(a, "/me/place", Operation{ID: "set-place", Summary: "Add where you live", Tag: tag, Access: SignedIn, Status: 204},
		func(ctx context.Context, in *struct{ Body PlaceEntry }) (*struct{}, error) {
			return nil, s.SetPlace(ctx, Who(ctx), contact.Place{Country: in.Body.Country, Province: in.Body.Province, City: in.Body.City}, in.Body.ConsentToken)
		})
	for path, kind := range map[string]string{"phone": contact.Phone, "qq": contact.QQ, "place": contact.Region} {
		Delete(a, "/me/"+path, Operation{ID: "remove-" + path, Summary: "Take the consent back; what rests on it is deleted", Tag: tag, Access: SignedIn, Status: 204},
			func(ctx context.Context, _ *struct{}) (*struct{}, error) { return nil, s.Remove(ctx, Who(ctx), kind) })
	}
}
