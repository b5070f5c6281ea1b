package vpn

import (
	"context"
	"strconv"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// BatchLimit is how many clients one batch may make.
const BatchLimit = 500

// ErrBatch refuses a batch of no clients, or of too many.
var ErrBatch = errs.New(errs.Unprocessable, "vpn.batch_size").With("max", BatchLimit)

// BatchResult is what became of one client of a batch: made, or why not.
type BatchResult struct {
	Client SSLClient
	Err    error
}

// CreateClients makes clients of one server one by one, each by the rules of
// CreateClient and in a transaction of its own; one that is refused does not
// keep the others. key is of the whole request: a repeat finds what it made. An
// error ends the batch: what was made is found by a repeat.
func (s *Service) CreateClients(ctx context.Context, p account.Principal, key string, all []NewClient) ([]BatchResult, error) {
	if len(all) < 1 || len(all) > BatchLimit {
		return nil, ErrBatch
	}
	results := make([]BatchResult, 0, len(all))
	for i, in := range all {
		if key != "" {
			in.Key = key + "/" + strconv.Itoa(i)
		}
		c, err := s.CreateClient(ctx, p, in)
		if !refusal(err) {
			return nil, err
		}
		results = append(results, BatchResult{c, err})
	}
	return results, nil
}

// refusal reports whether an error is about this one client, or none at all.
func refusal(err error) bool {
	if err == nil {
		return true
	}
	switch errs.KindOf(err) {
	case errs.Unprocessable, errs.Conflict, errs.Invalid:
		return true
	}
	return false
}

// CheckClients says what CreateClients would refuse now. It makes nothing.
func (s *Service) CheckClients(ctx context.Context, p account.Principal, server string, all []NewClient) ([]BatchResult, error) {
	if len(all) < 1 || len(all) > BatchLimit {
		return nil, ErrBatch
	}
	srv, err := serverFor(ctx, s.db, p.Account, server)
	if err != nil {
		return nil, err
	}
	results, admitted := make([]BatchResult, 0, len(all)), 0
	for _, in := range all {
		err := s.checkClient(ctx, p.Account, srv, in, admitted)
		if !refusal(err) {
			return nil, err
		}
		if err == nil {
			admitted++
		}
		results = append(results, BatchResult{Err: err})
	}
	return results, nil
}

// checkClient is roomForClient before admitted others are made.
func (s *Service) checkClient(ctx context.Context, owner account.ID, srv SSLServer, in NewClient, admitted int) error {
	if err := checkName(in.Name); err != nil {
		return err
	}
	if in.State == "" {
		in.State = ClientEnabled
	}
	c := SSLClient{ID: id.Resource("sslcli"), Server: srv.ID, Gateway: srv.Gateway, Account: owner, Name: in.Name, ClientSettings: in.ClientSettings}
	return s.roomForClients(ctx, s.db, owner, srv.ID, c, admitted)
}
