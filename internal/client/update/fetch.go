package update

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// firstRoot is the name of a repository's first root (TUF 1.0.34 section 3.2).
const firstRoot = "1.root.json"

// MaxRoot bounds a root.json, in bytes.
const MaxRoot = 512 << 10

// FirstRoot fetches the first root of the repository at base. sum is its SHA-256 in
// hex as the person got it by another way; ErrTrust says that it is not that one.
func FirstRoot(ctx context.Context, client *http.Client, base, sum string) ([]byte, error) {
	at, err := url.JoinPath(base, firstRoot)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrServer, err)
	}
	b, err := fetcher{ctx, client}.DownloadFile(at, MaxRoot, 0)
	if err != nil {
		return nil, trust(err)
	}
	if got := sha256.Sum256(b); hex.EncodeToString(got[:]) != sum {
		return nil, fmt.Errorf("%w: its first keys are not those of the profile", ErrTrust)
	}
	return b, nil
}

// fetcher brings files for the TUF library, bounded, and for as long as ctx lasts.
type fetcher struct {
	ctx    context.Context //nolint:containedctx // the library's interface has none
	client *http.Client
}

// DownloadFile returns the body at url, of at most most bytes.
func (f fetcher) DownloadFile(url string, most int64, _ time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(f.ctx, fetchLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrServer, err)
	}
	res, err := f.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", ErrServer, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: res.StatusCode, URL: url}
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrServer, err)
	case int64(len(b)) > most:
		return nil, &metadata.ErrDownloadLengthMismatch{Msg: fmt.Sprintf("more than %d bytes", most)}
	}
	return b, nil
}
