// Package request carries what every handler may ask of a request: its
// number, language, source address and the browser, put into the context by
// the server's outermost layer.
package request

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Info is what is known of a request before anybody signed in.
type Info struct {
	Number    string        // req_..., for logs and tickets
	Language  i18n.Language // prefs cookie, else Accept-Language
	Source    netip.Addr    // the right-most hop outside the trusted proxies
	UserAgent string        // at most 512 bytes, never stored raw
}

type key struct{}

// From returns the request's information; the zero Info in Chinese if there is
// none.
func From(ctx context.Context) Info {
	if info, ok := ctx.Value(key{}).(Info); ok {
		return info
	}
	return Info{Language: i18n.Chinese}
}

// With returns a context carrying info.
func With(ctx context.Context, info Info) context.Context {
	return context.WithValue(ctx, key{}, info)
}

// Reader makes Infos. Proxies are the networks whose X-Forwarded-For is
// believed.
type Reader struct{ Proxies []netip.Prefix }

// Handler puts the request's Info into its context.
func (rd Reader) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := Info{Number: id.New("req"), Language: language(r), Source: rd.source(r), UserAgent: cut(r.UserAgent(), 512)}
		w.Header().Set("X-Request-Id", info.Number)
		next.ServeHTTP(w, r.WithContext(With(r.Context(), info)))
	})
}

func language(r *http.Request) i18n.Language {
	if c, err := r.Cookie("prefs"); err == nil {
		for _, part := range strings.Split(c.Value, ".") {
			if lang, ok := strings.CutPrefix(part, "lang-"); ok {
				return i18n.Match(lang)
			}
		}
	}
	return i18n.Match(r.Header.Get("Accept-Language"))
}

func (rd Reader) source(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	addr = addr.Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && rd.trusted(addr); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = next.Unmap()
	}
	return addr
}

func (rd Reader) trusted(a netip.Addr) bool {
	for _, p := range rd.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
