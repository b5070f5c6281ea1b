package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
)

// TokenInvitation is a link by which the person behind a client sets its token up.
type TokenInvitation struct {
	URL   string    `json:"url" doc:"To hand to the person; from / where the console's address is not configured"`
	Until time.Time `json:"until"`
}

// EnrolmentToken is what stands behind the # of such a link.
type EnrolmentToken struct {
	Token string `json:"token" minLength:"1" maxLength:"100"`
}

// EnrolmentCode proves that the token was taken over.
type EnrolmentCode struct {
	EnrolmentToken
	Code string `json:"code" minLength:"6" maxLength:"6"`
}

// TokenEnrolment is a token to take over.
type TokenEnrolment struct {
	UserName   string    `json:"user_name"`
	Server     string    `json:"server" doc:"Name of the SSL server"`
	TOTPSecret string    `json:"totp_secret" doc:"Base32"`
	TOTPURI    string    `json:"totp_uri" doc:"For a QR code"`
	Until      time.Time `json:"until"`
}

// tokenEnrolments registers the operations of links that set a token up. Who
// holds a link needs no account.
func tokenEnrolments(a *API, s *vpn.Service) {
	const tag = "SSL clients"
	Post(a, "/ssl-clients/{id}/token-invitation", Operation{
		ID: "invite-ssl-client-token", Summary: "A link by which the user sets the token up", Tag: tag, Access: Customer,
		Detail: "Shown this once; good for 72 hours and one token. A link of before is good for nothing. The present token works until the new one is bound.",
	},
		func(ctx context.Context, in *ResourceID) (*private[TokenInvitation], error) {
			v, err := s.InviteEnrolment(ctx, Who(ctx), in.ID)
			return &private[TokenInvitation]{secretCache, TokenInvitation{v.URL, v.Until}}, err
		})
	Post(a, "/token-enrolments", Operation{
		ID: "open-token-enrolment", Summary: "The token of a link, anew each time", Tag: tag, Access: Public,
	},
		func(ctx context.Context, in *struct{ Body EnrolmentToken }) (*private[TokenEnrolment], error) {
			v, err := s.OpenEnrolment(ctx, in.Body.Token)
			return &private[TokenEnrolment]{secretCache, TokenEnrolment{v.UserName, v.Server, v.TOTP, v.TokenURI, v.Until}}, err
		})
	Post(a, "/token-enrolments/confirm", Operation{
		ID: "confirm-token-enrolment", Summary: "Bind the token that was last shown, by a code of it", Tag: tag, Access: Public,
		Detail: "Answers ten recovery codes, shown this once. Sessions of the client end.",
	},
		func(ctx context.Context, in *struct{ Body EnrolmentCode }) (*private[SSLClientRecoveryCodes], error) {
			codes, err := s.ConfirmEnrolment(ctx, in.Body.Token, in.Body.Code)
			return &private[SSLClientRecoveryCodes]{secretCache, SSLClientRecoveryCodes{codes}}, err
		})
}
