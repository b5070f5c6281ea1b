package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/web/cookie"
)

// Login is a try to sign in.
type Login struct {
	UserName string `json:"user_name" minLength:"1" maxLength:"64"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
	Code     string `json:"code,omitempty" maxLength:"32" doc:"TOTP code or recovery code; asked for with 401 account.second_factor_required"`
	Remember bool   `json:"remember,omitempty" doc:"Sets the remember cookie"`
}

// NewSession is a session that was just made. Its token is in the cookie only.
type NewSession struct {
	ID        string    `json:"id" example:"ses_..."`
	UserName  string    `json:"user_name"`
	MFA       bool      `json:"mfa"`
	EnrolTOTP bool      `json:"enrol_totp"`
	ExpiresAt time.Time `json:"expires_at"`
}

// LoginSession is a live session of the person.
type LoginSession struct {
	ID         string    `json:"id"`
	Browser    string    `json:"browser" example:"Firefox 128"`
	OS         string    `json:"os" example:"Linux"`
	IP         string    `json:"ip"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	MFA        bool      `json:"mfa"`
	Current    bool      `json:"current"`
	// Until when its browser may come back without signing in.
	RememberedUntil *time.Time `json:"remembered_until,omitempty" doc:"Absent where the person did not ask to stay signed in"`
}

// LoginEntry is a line of the login log.
type LoginEntry struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	IP      string    `json:"ip"`
	Browser string    `json:"browser"`
	OS      string    `json:"os"`
	Method  string    `json:"method" enum:"password,totp,recovery,remember"`
	Outcome string    `json:"outcome" enum:"ok,wrong_password,wrong_code,throttled"`
}

// AccessEntry is a line of the access log.
type AccessEntry struct {
	At      time.Time `json:"at"`
	IP      string    `json:"ip"`
	Browser string    `json:"browser"`
	OS      string    `json:"os"`
	Page    string    `json:"page" doc:"Path without query"`
}

// LoginSessions registers signing in and out, the person's sessions and logs.
func LoginSessions(a *API, s *account.Service) {
	const tag = "Sessions"
	Post(a, "/login-sessions", Operation{ID: "sign-in", Summary: "Sign in", Tag: tag, Access: Public, Status: 201},
		func(ctx context.Context, in *struct{ Body Login }) (*withCookies[NewSession], error) {
			g, err := s.Login(ctx, account.LoginRequest{
				Name: in.Body.UserName, Password: in.Body.Password, Code: in.Body.Code,
				Remember: in.Body.Remember, Source: source(ctx),
			})
			return opened(g, err)
		})
	Post(a, "/login-sessions/resume", Operation{ID: "resume", Summary: "Sign in with the remember cookie, which is replaced", Tag: tag, Access: Public, Status: 201},
		func(ctx context.Context, in *resumeInput) (*withCookies[NewSession], error) {
			return opened(s.Resume(ctx, in.Remember, source(ctx)))
		})
	Get(a, "/login-sessions", Operation{ID: "list-sessions", Summary: "Your live sessions", Tag: tag, Access: SignedIn},
		func(ctx context.Context, _ *struct{ Page }) (*Body[List[LoginSession]], error) {
			all, err := s.Sessions(ctx, Who(ctx))
			if err != nil {
				return nil, err
			}
			return &Body[List[LoginSession]]{List[LoginSession]{Items: Items(all, toLoginSession)}}, nil
		})
	Delete(a, "/login-sessions/{id}", Operation{ID: "end-session", Summary: "End a session; current signs out", Tag: tag, Access: SignedIn, Status: 204},
		func(ctx context.Context, in *sessionID) (*cookiesOnly, error) { return endSession(ctx, s, in.ID) })
	Delete(a, "/login-sessions/remember", Operation{ID: "forget-browser", Summary: "Withdraw being kept signed in on this browser; the session goes on", Tag: tag, Access: Public, Status: 204},
		func(ctx context.Context, in *resumeInput) (*cookiesOnly, error) {
			if err := s.Forget(ctx, in.Remember); err != nil {
				return nil, err
			}
			return &cookiesOnly{[]cookie.Line{cookie.Clear(cookie.Remember)}}, nil
		})
	Get(a, "/me/login-log", Operation{ID: "login-log", Summary: "Your sign-ins, failed ones too, newest first", Tag: tag, Access: SignedIn},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[LoginEntry]], error) {
			all, next, err := s.LoginLog(ctx, Who(ctx), in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return &Body[List[LoginEntry]]{List[LoginEntry]{Items(all, toLoginEntry), next}}, nil
		})
	Get(a, "/me/access-log", Operation{ID: "access-log", Summary: "The pages you asked for, newest first", Tag: tag, Access: SignedIn},
		func(ctx context.Context, in *struct{ Page }) (*Body[List[AccessEntry]], error) {
			all, next, err := s.AccessLog(ctx, Who(ctx), in.Cursor, in.Limit)
			if err != nil {
				return nil, err
			}
			return &Body[List[AccessEntry]]{List[AccessEntry]{Items(all, toAccessEntry), next}}, nil
		})
}

type resumeInput struct {
	Remember string `cookie:"__Host-remember" hidden:"true"`
}

type sessionID struct {
	ID string `path:"id" maxLength:"40" doc:"Id of a session, or current"`
}

func opened(g account.Grant, err error) (*withCookies[NewSession], error) {
	if err != nil {
		return nil, err
	}
	set := []cookie.Line{cookie.Make(cookie.Session, g.Token, 0)}
	if g.RememberToken != "" {
		set = append(set, cookie.Make(cookie.Remember, g.RememberToken, g.RememberFor))
	}
	return &withCookies[NewSession]{set, NewSession{
		ID: g.Principal.Session, UserName: g.Principal.UserName, MFA: g.Principal.MFA,
		EnrolTOTP: g.EnrolTOTP, ExpiresAt: g.ExpiresAt,
	}}, nil
}

func endSession(ctx context.Context, s *account.Service, id string) (*cookiesOnly, error) {
	p := Who(ctx)
	if id != "current" && id != p.Session {
		return &cookiesOnly{}, s.RevokeSession(ctx, p, id)
	}
	if err := s.Logout(ctx, p); err != nil {
		return nil, err
	}
	return &cookiesOnly{[]cookie.Line{cookie.Clear(cookie.Session), cookie.Clear(cookie.Remember)}}, nil
}

func toLoginSession(s account.Session) LoginSession {
	out := LoginSession{ID: s.ID, Browser: s.Browser, OS: s.OS, IP: s.IP, CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt, ExpiresAt: s.ExpiresAt, MFA: s.MFA, Current: s.Current}
	if !s.RememberedUntil.IsZero() {
		out.RememberedUntil = &s.RememberedUntil
	}
	return out
}

func toLoginEntry(e account.LoginEntry) LoginEntry {
	return LoginEntry{ID: e.ID, At: e.At, IP: e.IP, Browser: e.Browser, OS: e.OS, Method: e.Method, Outcome: e.Outcome}
}

func toAccessEntry(e account.AccessEntry) AccessEntry {
	return AccessEntry{At: e.At, IP: e.IP, Browser: e.Browser, OS: e.OS, Page: e.Page}
}
