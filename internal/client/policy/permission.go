package policy

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Ids of permissions.
const (
	Network      = "network"
	Updates      = "install-updates"
	KeyStore     = "key-store"
	LocalNetwork = "local-network"
)

// Errors of permissions.
var (
	ErrPermissionRefused = errs.New(errs.Forbidden, "policy.permission_refused").ByClause("TY-2.7")  // parameter permission
	ErrPermissionUnasked = errs.New(errs.Forbidden, "policy.permission_unasked").ByClause("TY-2.7")  // parameter permission
	ErrPermissionUnnamed = errs.New(errs.Forbidden, "policy.permission_unnamed").ByClause("TY-2.7b") // parameter permission
)

// Words are a text in both languages.
type Words struct {
	Chinese string `yaml:"zh-CN" json:"zh-CN"`
	English string `yaml:"en" json:"en"`
}

// In returns the words of a language.
func (w Words) In(locale string) string {
	if locale == "en" {
		return w.English
	}
	return w.Chinese
}

// Permission is something of the device that the client asks for.
type Permission struct {
	ID      string `yaml:"id" json:"id"`
	Name    Words  `yaml:"name" json:"name"` // as the policy names it, in bold
	Purpose Words  `yaml:"purpose" json:"purpose"`
	Asked   Words  `yaml:"asked" json:"asked"`     // when
	Refused Words  `yaml:"refused" json:"refused"` // what stops, and nothing else does
}

//go:embed permissions.yaml
var permissionsYAML []byte

var permissions = sync.OnceValue(func() []Permission {
	var all []Permission
	dec := yaml.NewDecoder(bytes.NewReader(permissionsYAML))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return all
})

// Permissions lists all permissions that the client ever asks for.
func Permissions() []Permission { return slices.Clone(permissions()) }

func findPermission(id string) (Permission, bool) {
	i := slices.IndexFunc(permissions(), func(p Permission) bool { return p.ID == id })
	if i < 0 {
		return Permission{}, false
	}
	return permissions()[i], true
}

// named tells whether a policy names a permission, in every language: what the
// text does not name is not asked for.
func (p Permission) named(t Text) bool {
	for _, x := range t.Texts {
		if !strings.Contains(x.Body, "**"+p.Name.In(x.Locale)+"**") && !mutant.Off("TY-2.7b") {
			return false
		}
	}
	return len(t.Texts) > 0
}

// Answer is what a person said to a permission.
type Answer struct {
	Granted bool      `json:"granted"`
	At      time.Time `json:"at"`
}

// Answers returns what was answered so far, by the permissions' ids.
func (s *Store) Answers() (map[string]Answer, error) {
	raw, err := s.dir.Read(answersFile, 64<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]Answer{}, nil
	}
	if err != nil {
		return nil, err
	}
	all := map[string]Answer{}
	if err := json.Unmarshal(raw, &all); err != nil || all == nil {
		return nil, ErrBroken.With("file", answersFile)
	}
	return all, nil
}

// Answer records an answer; the person may change it at any time.
func (s *Store) Answer(id string, granted bool) error {
	if _, ok := findPermission(id); !ok {
		return ErrPermissionUnnamed.With("permission", id)
	}
	unlock, err := s.dir.Lock(local.Permissions)
	if err != nil {
		return err
	}
	defer unlock()
	all, err := s.Answers()
	if err != nil {
		return err
	}
	all[id] = Answer{granted, s.clock.Now()}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("recording an answer: %w", err)
	}
	return s.dir.Replace(answersFile, text)
}

// Use is called just before something uses a permission. Who never answered is
// asked, once: a refusal stands until the person changes it and is
// ErrPermissionRefused from then on, without a question. ask may be nil where
// nobody can be asked. A permission that the policy in force in the scope does
// not name is ErrPermissionUnnamed.
func (s *Store) Use(id, scope string, ask func(Permission) (bool, error)) error {
	p, ok := findPermission(id)
	if !ok {
		return ErrPermissionUnnamed.With("permission", id)
	}
	t, _, err := s.InForce(scope)
	if err != nil {
		return err
	}
	if !p.named(t) {
		return ErrPermissionUnnamed.With("permission", id)
	}
	all, err := s.Answers()
	if err != nil {
		return err
	}
	a, answered := all[id]
	if !answered {
		if a.Granted, err = s.ask(p, ask); err != nil {
			return err
		}
	}
	if !a.Granted && !mutant.Off("TY-2.7") {
		return ErrPermissionRefused.With("permission", id)
	}
	return nil
}

func (s *Store) ask(p Permission, ask func(Permission) (bool, error)) (bool, error) {
	if ask == nil {
		return false, ErrPermissionUnasked.With("permission", p.ID)
	}
	granted, err := ask(p)
	if err != nil {
		return false, err
	}
	return granted, s.Answer(p.ID, granted)
}
