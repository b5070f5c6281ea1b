package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/web/cookie"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// Registration is what a person enters, and nothing more.
type Registration struct {
	UserName         string `json:"user_name" minLength:"3" maxLength:"32" example:"alice"`
	Password         string `json:"password" minLength:"1" maxLength:"1024"`
	Email            string `json:"email" minLength:"3" maxLength:"254" example:"alice@example.org"`
	ConsentToken     string `json:"consent_token" maxLength:"1024" doc:"Of GET /consent-prompts/platform_policy"`
	CrossborderToken string `json:"crossborder_token,omitempty" maxLength:"1024" doc:"Of GET /consent-prompts/crossborder.platform, where the profile asks for it"`
	Adult            bool   `json:"adult,omitempty" doc:"The statement of being 18 or older, part of the act"`
	AgeGroup         string `json:"age_group,omitempty" enum:",≤14,15,16-17" doc:"A minor's statement, in place of adult; GET /age-groups says what follows from it"`
}

// Account is a new account.
type Account struct {
	Account  string `json:"account" example:"acc_..."`
	UserName string `json:"user_name"`
}

// EmailVerification consumes a mailed token, or asks for another mail.
type EmailVerification struct {
	Token string `json:"token,omitempty" maxLength:"128" doc:"Of the mail; empty asks for another mail, which needs a session"`
}

// ResetRequest asks for a reset mail.
type ResetRequest struct {
	Email string `json:"email" minLength:"3" maxLength:"254"`
}

// ResetConfirmation sets a password by a mailed token.
type ResetConfirmation struct {
	Token    string `json:"token" minLength:"1" maxLength:"128"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
}

// Me is the signed-in person.
type Me struct {
	Account       string    `json:"account"`
	UserName      string    `json:"user_name"`
	EmailVerified bool      `json:"email_verified"`
	Locale        string    `json:"locale" enum:"zh-CN,en"`
	TOTP          bool      `json:"totp"`
	RecoveryLeft  int       `json:"recovery_left" doc:"Recovery codes that were not used yet"`
	Staff         bool      `json:"staff"`
	EnrolTOTP     bool      `json:"enrol_totp" doc:"Staff without second factor: nothing but enrolment is open"`
	Permissions   []string  `json:"permissions" nullable:"false"`
	ConsentsDue   []string  `json:"consents_due" nullable:"false" doc:"Purposes whose policy has a new major version that waits for an act"`
	MFA           bool      `json:"mfa" doc:"This session passed a second factor"`
	StepUpUntil   time.Time `json:"step_up_until" doc:"Until then sensitive acts are open"`
	Age           Age       `json:"age"`
	CreatedAt     time.Time `json:"created_at"`
}

// MyContact is how the operator reaches the signed-in person.
type MyContact struct {
	Email string `json:"email"`
}

// MeChange is what a person may change.
type MeChange struct {
	Locale string `json:"locale" enum:"zh-CN,en"`
}

// PasswordChange replaces the password.
type PasswordChange struct {
	Current string `json:"current" minLength:"1" maxLength:"1024"`
	Next    string `json:"next" minLength:"1" maxLength:"1024"`
}

// Proof shows again who is there.
type Proof struct {
	Password string `json:"password,omitempty" maxLength:"1024"`
	Code     string `json:"code,omitempty" maxLength:"32" doc:"TOTP code or recovery code"`
}

// Enrolment is a TOTP secret before its confirmation, shown once.
type Enrolment struct {
	Secret string `json:"secret" doc:"Base32"`
	URL    string `json:"url" example:"otpauth://totp/..."`
}

// CodeConfirmation is the first code of a new second factor.
type CodeConfirmation struct {
	Code string `json:"code" minLength:"6" maxLength:"16"`
}

// RecoveryCodes are shown once.
type RecoveryCodes struct {
	Codes []string `json:"recovery_codes" nullable:"false"`
}

// User is a person in staff lists.
type User struct {
	Account       string    `json:"account"`
	UserName      string    `json:"user_name"`
	EmailVerified bool      `json:"email_verified"`
	TOTP          bool      `json:"totp"`
	Staff         bool      `json:"staff"`
	CreatedAt     time.Time `json:"created_at"`
}

// Training is until when a member of the staff may open personal data.
type Training struct {
	UserName string     `json:"user_name"`
	At       *time.Time `json:"at,omitempty" doc:"Of the newest training"`
	Until    *time.Time `json:"until,omitempty" doc:"Twelve months after it; past it what opens personal data lapses"`
	Disabled bool       `json:"disabled" doc:"Holds no permission"`
}

// withCookies is an answer that sets cookies of the registry.
type withCookies[T any] struct {
	SetCookie []cookie.Line `header:"Set-Cookie"`
	Body      T
}

// cookiesOnly is an answer without a body that sets cookies of the registry.
type cookiesOnly struct {
	SetCookie []cookie.Line `header:"Set-Cookie"`
}

func sessionCookie(token string) *cookiesOnly {
	return &cookiesOnly{[]cookie.Line{cookie.Make(cookie.Session, token, 0)}}
}

// source is where a request came from, as far as the logs may know.
func source(ctx context.Context) account.Source {
	info := request.From(ctx)
	return account.Source{IP: info.Source, UserAgent: info.UserAgent}
}

// Accounts registers accounts, their owner's own data and passwords.
func Accounts(a *API, s *account.Service, c *consent.Service, ages *age.Service) {
	const tag = "Account"
	Post(a, "/accounts", Operation{
		ID: "register", Summary: "Open an account", Tag: tag, Access: Public, Status: 201,
		Detail: "Takes three fields and the act of consent. The act and the account are one transaction; a refused registration leaves the token unused.",
	},
		func(ctx context.Context, in *struct{ Body Registration }) (*Body[Account], error) {
			return register(ctx, s, in.Body)
		})
	Post(a, "/email-verifications", Operation{ID: "verify-email", Summary: "Confirm an address, or ask for another mail", Tag: tag, Access: Public, Status: 204},
		func(ctx context.Context, in *verifyInput) (*struct{}, error) { return nil, verifyEmail(ctx, a, s, in) })
	Post(a, "/password-resets", Operation{
		ID: "ask-reset", Summary: "Ask for a reset mail", Tag: tag, Access: Public, Status: 202,
		Detail: "The answer is the same whether the address is known.",
	},
		func(ctx context.Context, in *struct{ Body ResetRequest }) (*struct{}, error) {
			return nil, s.AskReset(ctx, in.Body.Email, source(ctx))
		})
	Post(a, "/password-resets/confirm", Operation{ID: "confirm-reset", Summary: "Set a new password by a mailed token", Tag: tag, Access: Public, Status: 204},
		func(ctx context.Context, in *struct{ Body ResetConfirmation }) (*struct{}, error) {
			return nil, s.ConfirmReset(ctx, in.Body.Token, in.Body.Password, source(ctx))
		})
	Get(a, "/me", Operation{ID: "me", Summary: "Who is signed in", Tag: tag, Access: SignedIn},
		func(ctx context.Context, _ *struct{}) (*Body[Me], error) { return me(ctx, s, c, ages) })
	Get(a, "/me/contact", Operation{ID: "my-contact", Summary: "Your e-mail address; reading it is noted among your reads", Tag: tag, Access: SignedIn},
		func(ctx context.Context, _ *struct{}) (*Body[MyContact], error) {
			email, err := s.Address(ctx, Who(ctx))
			return &Body[MyContact]{MyContact{email}}, err
		})
	Patch(a, "/me", Operation{ID: "change-me", Summary: "Change the language of mails", Tag: tag, Access: SignedIn},
		func(ctx context.Context, in *struct{ Body MeChange }) (*Body[Me], error) {
			if err := s.SetLocale(ctx, Who(ctx), in.Body.Locale); err != nil {
				return nil, err
			}
			return me(ctx, s, c, ages)
		})
	Post(a, "/me/password", Operation{ID: "change-password", Summary: "Change the password; ends all other sessions", Tag: tag, Access: SignedIn, Status: 204},
		func(ctx context.Context, in *struct{ Body PasswordChange }) (*cookiesOnly, error) {
			token, err := s.ChangePassword(ctx, Who(ctx), in.Body.Current, in.Body.Next, source(ctx))
			if err != nil {
				return nil, err
			}
			return sessionCookie(token), nil
		})
	Get(a, "/admin/users", Operation{ID: "admin-list-users", Summary: "All people, newest first", Tag: "Staff", Access: Staff(account.PermAccountRead)},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[User]], error) {
			all, next, err := s.Users(ctx, in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return &Body[List[User]]{List[User]{Items(all, toUser), next}}, nil
		})
	Get(a, "/admin/trainings", Operation{
		ID: "list-trainings", Summary: "The training register: until when staff may open personal data", Tag: "Staff", Access: Staff(account.PermStaffRead),
		Detail: "A training is recorded by the command `skybridge admin add-training`.",
	},
		func(ctx context.Context, _ *struct{}) (*Body[List[Training]], error) {
			all, err := s.Trainings(ctx)
			return page(all, "", err, func(t account.Training) Training {
				return Training{t.Name, toTime(t.At), toTime(t.Until), t.Disabled}
			})
		})
	secondFactor(a, s)
}

func secondFactor(a *API, s *account.Service) {
	const tag = "Account"
	Post(a, "/me/totp", Operation{
		ID: "enrol-totp", Summary: "Make a new second factor that waits for its first code", Tag: tag, Access: SignedIn, Secret: true,
		Detail: "Needs a proof of identity within the last ten minutes: sign-in, or POST /me/step-up.",
	},
		func(ctx context.Context, _ *struct{}) (*private[Enrolment], error) {
			e, err := s.EnrolTOTP(ctx, Who(ctx))
			return &private[Enrolment]{secretCache, Enrolment{e.Secret, e.URL}}, err
		})
	Post(a, "/me/totp/confirm", Operation{ID: "confirm-totp", Summary: "Turn the second factor on; ends all other sessions", Tag: tag, Access: SignedIn, Secret: true},
		func(ctx context.Context, in *struct{ Body CodeConfirmation }) (*withCookies[RecoveryCodes], error) {
			done, err := s.ConfirmTOTP(ctx, Who(ctx), in.Body.Code)
			if err != nil {
				return nil, err
			}
			return &withCookies[RecoveryCodes]{sessionCookie(done.Token).SetCookie, RecoveryCodes{done.RecoveryCodes}}, nil
		})
	Delete(a, "/me/totp", Operation{ID: "disable-totp", Summary: "Turn the second factor off; ends all other sessions", Tag: tag, Access: SignedIn, Status: 204},
		func(ctx context.Context, in *struct{ Body Proof }) (*cookiesOnly, error) {
			token, err := s.DisableTOTP(ctx, Who(ctx), in.Body.Password, in.Body.Code, source(ctx))
			if err != nil {
				return nil, err
			}
			return sessionCookie(token), nil
		})
	Post(a, "/me/step-up", Operation{
		ID: "step-up", Summary: "Prove again who you are", Tag: tag, Access: SignedIn, Status: 204,
		Detail: "With the second factor if there is one, else with the password. Opens sensitive acts for ten minutes.",
	},
		func(ctx context.Context, in *struct{ Body Proof }) (*cookiesOnly, error) {
			token, err := s.StepUp(ctx, Who(ctx), in.Body.Password, in.Body.Code, source(ctx))
			if err != nil {
				return nil, err
			}
			return sessionCookie(token), nil
		})
}

func register(ctx context.Context, s *account.Service, in Registration) (*Body[Account], error) {
	got, err := s.Register(ctx, account.Registration{
		Name: in.UserName, Password: in.Password, Email: in.Email, Locale: string(request.From(ctx).Language),
		ConsentToken: in.ConsentToken, CrossborderToken: in.CrossborderToken, Adult: in.Adult, Band: age.Band(in.AgeGroup), Channel: "console", Source: source(ctx),
	})
	if err != nil {
		return nil, err
	}
	return &Body[Account]{Account{string(got.Account), got.Name}}, nil
}

type verifyInput struct {
	Session string `cookie:"__Host-session" hidden:"true"`
	Body    EmailVerification
}

func verifyEmail(ctx context.Context, a *API, s *account.Service, in *verifyInput) error {
	if in.Body.Token != "" {
		return s.VerifyEmail(ctx, in.Body.Token, source(ctx))
	}
	p, err := a.opt.Sessions.Authenticate(ctx, in.Session)
	if err != nil {
		return err
	}
	return s.AskVerification(ctx, p, source(ctx))
}

func me(ctx context.Context, s *account.Service, c *consent.Service, ages *age.Service) (*Body[Me], error) {
	p := Who(ctx)
	profile, err := s.Profile(ctx, p)
	if err != nil {
		return nil, err
	}
	due, err := c.Pending(ctx, p.Subject)
	if err != nil {
		return nil, err
	}
	standing, err := ages.StandingOf(ctx, p.Subject)
	if err != nil {
		return nil, err
	}
	return &Body[Me]{Me{
		Age:     Age{string(standing.Band), standing.Needs},
		Account: string(profile.Account), UserName: profile.Name, EmailVerified: !profile.EmailVerifiedAt.IsZero(),
		Locale: profile.Locale, TOTP: profile.TOTP, RecoveryLeft: profile.RecoveryLeft, Staff: profile.Staff, EnrolTOTP: profile.Staff && !p.MFA,
		Permissions: Items(p.Permissions, func(s string) string { return s }), ConsentsDue: Items(due, func(d consent.Due) string { return d.Purpose }),
		MFA: p.MFA, StepUpUntil: p.StepUpUntil, CreatedAt: profile.CreatedAt,
	}}, nil
}

func toUser(u account.UserSummary) User {
	return User{Account: string(u.Account), UserName: u.Name, EmailVerified: u.EmailVerified, TOTP: u.TOTP, Staff: u.Staff, CreatedAt: u.CreatedAt}
}
