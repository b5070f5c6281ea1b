package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/webstore"
	"github.com/skybridge-cloud/skybridge/internal/web/cookie"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// CookieEntry is one registered cookie, in the language of the request.
type CookieEntry struct {
	Name    string   `json:"name" example:"__Host-session"`
	Kind    string   `json:"kind" enum:"session,remember,prefs"`
	Purpose string   `json:"purpose"`
	Life    string   `json:"life"`
	Seconds int64    `json:"seconds" doc:"The longest life"`
	Lasting bool     `json:"lasting" doc:"Outlives the browser"`
	Act     string   `json:"act" enum:"sign-in,tick,choose" doc:"What you do before it is set"`
	Script  bool     `json:"script" doc:"Readable by the page"`
	Holds   []string `json:"holds" nullable:"false"`
	Present bool     `json:"present" doc:"This browser sent it with the request"`
}

// BrowserStore is all that the console keeps in a browser.
type BrowserStore struct {
	Cookies []CookieEntry `json:"cookies" nullable:"false"`
	Storage []string      `json:"storage" nullable:"false" doc:"Registered keys of local storage"`
}

type cookiesSent struct {
	Session  string `cookie:"__Host-session" hidden:"true"`
	Remember string `cookie:"__Host-remember" hidden:"true"`
	Prefs    string `cookie:"prefs" hidden:"true"`
}

// Cookies registers the registry of cookies (clauses LT-2.1, LT-2.2).
func Cookies(a *API) {
	Get(a, "/cookies", Operation{ID: "list-cookies", Summary: "What is kept in your browser", Tag: "Policies", Access: Public},
		func(ctx context.Context, in *cookiesSent) (*Body[BrowserStore], error) {
			sent := map[string]string{cookie.Session: in.Session, cookie.Remember: in.Remember, cookie.Prefs: in.Prefs}
			locale := string(request.From(ctx).Language)
			store := BrowserStore{Cookies: []CookieEntry{}, Storage: []string{}}
			for _, c := range webstore.Get().Cookies {
				store.Cookies = append(store.Cookies, CookieEntry{
					Name: c.Name, Kind: string(c.Kind), Purpose: c.Purpose[locale], Life: c.Life[locale], Seconds: int64(c.Most / time.Second),
					Lasting: c.Lasting, Act: c.Act, Script: c.Script, Holds: c.Holds, Present: sent[c.Name] != "",
				})
			}
			for _, k := range webstore.Get().Storage {
				store.Storage = append(store.Storage, k.Key)
			}
			return &Body[BrowserStore]{store}, nil
		})
}
