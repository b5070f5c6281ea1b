package console

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// zipper compresses each file once, at its first use.
type zipper struct{ done sync.Map }

func (z *zipper) serve(w http.ResponseWriter, r *http.Request, name string, content []byte) {
	w.Header().Set("Vary", "Accept-Encoding")
	if accepts(r) {
		w.Header().Set("Content-Encoding", "gzip")
		content = z.compressed(name, content)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(content) // the browser went away: nobody to tell
}

func accepts(r *http.Request) bool {
	for _, offer := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(offer), ";")
		if coding == "gzip" && strings.TrimSpace(quality) != "q=0" {
			return true
		}
	}
	return false
}

func (z *zipper) compressed(name string, content []byte) []byte {
	once, _ := z.done.LoadOrStore(name, sync.OnceValue(func() []byte { return compress(content) }))
	return once.(func() []byte)()
}

func compress(content []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		panic(err) // a buffer takes everything
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
