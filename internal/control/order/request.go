package order

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Configuration keys of a line.
const (
	ConfigName    = "name"    // the VPN gateway's name, 1..64 characters
	ConfigNetwork = "network" // id of the private network it joins
)

const maxConfiguration = 64

func (r PlaceRequest) check() error {
	if !validKey(r.IdempotencyKey) {
		return ErrIdempotencyKey
	}
	if r.Kind != KindNew && len(r.Configuration) > 0 {
		return ErrConfiguration.With("field", "configuration")
	}
	for k, v := range r.Configuration {
		if k != ConfigName && k != ConfigNetwork {
			return ErrConfiguration.With("field", "configuration")
		}
		if v == "" || utf8.RuneCountInString(v) > maxConfiguration || strings.ContainsFunc(v, unprintable) || !utf8.ValidString(v) {
			return ErrConfiguration.With("field", k)
		}
	}
	return nil
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

func validKey(key string) bool {
	if len(key) < 8 || len(key) > 64 {
		return false
	}
	return !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
}

// digest is what makes two requests under one key the same.
func (r PlaceRequest) digest() string {
	raw, err := json.Marshal([]any{r.QuoteRequest, r.QuoteHash, r.Configuration})
	if err != nil {
		panic(err) // strings and integers only
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// lineConfiguration copies the configuration for one of count lines; several
// things of one name are numbered.
func lineConfiguration(all map[string]string, number, count int) map[string]string {
	c := maps.Clone(all)
	if c == nil {
		c = map[string]string{}
	}
	if name, ok := c[ConfigName]; ok && count > 1 {
		suffix := "-" + strconv.Itoa(number)
		if runes := []rune(name); len(runes)+len(suffix) > maxConfiguration {
			name = string(runes[:maxConfiguration-len(suffix)])
		}
		c[ConfigName] = name + suffix
	}
	return c
}
