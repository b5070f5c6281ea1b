package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
	"github.com/skybridge-cloud/skybridge/internal/platform/idempotency"
	"github.com/skybridge-cloud/skybridge/internal/web/request"
)

// Errors of a CSV file as a whole, and of one cell.
var (
	ErrCSVText   = errs.New(errs.Unprocessable, "api.csv_not_utf8")
	ErrCSVForm   = errs.New(errs.Unprocessable, "api.csv_malformed")
	ErrCSVColumn = errs.New(errs.Unprocessable, "api.csv_column")
	ErrCSVValue  = errs.New(errs.Unprocessable, "api.csv_value")
	ErrCSVTwice  = errs.New(errs.Conflict, "api.csv_twice")
)

// SSLClientBatchRequest asks for SSL clients by a table.
type SSLClientBatchRequest struct {
	Server string `json:"server" maxLength:"40"`
	CSV    string `json:"csv" maxLength:"524288" doc:"UTF-8, with or without a byte order mark; the first line names the columns of the template, of which only name is needed"`
	DryRun bool   `json:"dry_run,omitempty" doc:"Check only"`
}

// SSLClientBatch is what became of each row.
type SSLClientBatch struct {
	Items []SSLClientBatchRow `json:"items" nullable:"false"`
}

// SSLClientBatchRow is what became of one row: an id, or why there is none.
type SSLClientBatchRow struct {
	Row     int    `json:"row" doc:"Line of the table; the columns' names are line 1"`
	Name    string `json:"name"`
	ID      string `json:"id,omitempty" doc:"Of the client that was made"`
	Column  string `json:"column,omitempty" doc:"Where it is wrong, if it is one cell"`
	Code    string `json:"code,omitempty" doc:"Stable code of what is wrong"`
	Message string `json:"message,omitempty" doc:"In the caller's language"`
}

// clientBatch registers the operations of batches.
func clientBatch(a *API, s *vpn.Service) {
	const tag = "SSL clients"
	Post(a, "/ssl-clients/batch", Operation{
		ID: "create-ssl-clients", Summary: "Create SSL clients by a table", Tag: tag, Access: Customer,
		Detail: "Up to 500 rows, each by the rules of a single client; a row that is refused does not keep the others. The same Idempotency-Key finds what it made.",
	},
		func(ctx context.Context, in *struct{ Body SSLClientBatchRequest }) (*Body[SSLClientBatch], error) {
			return createClients(ctx, s, in.Body)
		})
	Get(a, "/ssl-clients/batch-template", Operation{ID: "get-ssl-client-batch-template", Summary: "A table to fill in, as CSV", Tag: tag, Access: Customer},
		func(context.Context, *struct{}) (*file, error) {
			text := "\uFEFF" + strings.Join(batchColumns, ",") + "\r\n" + "zhang.san,2000,10000,,false,1,,enabled,,,,,,totp,false,false\r\n"
			return &file{"no-store", "text/csv; charset=utf-8", `attachment; filename="ssl-clients.csv"`, []byte(text)}, nil
		})
}

// batchColumns are what a table may say of a client.
var batchColumns = []string{
	"name", "up_kbps", "down_kbps", "fixed_ip", "two_factor_exempt", "max_sessions", "expires_at", "state",
	"fixed_ip6", "routes", "groups", "daily_quota_bytes", "monthly_quota_bytes", "token_kind", "enrols", "device_approval",
}

// tableRow is one row of a table as read.
type tableRow struct {
	line   int
	client vpn.NewClient
	column string // that is wrong
	err    error
}

func createClients(ctx context.Context, s *vpn.Service, in SSLClientBatchRequest) (*Body[SSLClientBatch], error) {
	rows, err := readTable(in.Server, in.CSV)
	if err != nil {
		return nil, err
	}
	if len(rows) < 1 || len(rows) > vpn.BatchLimit {
		return nil, vpn.ErrBatch
	}
	var good []vpn.NewClient
	for _, r := range rows {
		if r.err == nil {
			good = append(good, r.client)
		}
	}
	var results []vpn.BatchResult
	switch {
	case len(good) == 0:
		_, err = s.Server(ctx, Who(ctx).Account, in.Server)
	case in.DryRun:
		results, err = s.CheckClients(ctx, Who(ctx), in.Server, good)
	default:
		results, err = s.CreateClients(ctx, Who(ctx), idempotency.Key(ctx), good)
	}
	if err != nil {
		return nil, err
	}
	return &Body[SSLClientBatch]{SSLClientBatch{mergeResults(request.From(ctx).Language, rows, results)}}, nil
}

// mergeResults puts what became of the good rows between the others.
func mergeResults(lang i18n.Language, rows []tableRow, results []vpn.BatchResult) []SSLClientBatchRow {
	out := make([]SSLClientBatchRow, 0, len(rows))
	for _, r := range rows {
		id := ""
		if r.err == nil {
			id, r.err, results = results[0].Client.ID, results[0].Err, results[1:]
			r.column = columnOf(r.err)
		}
		row := SSLClientBatchRow{Row: r.line, Name: r.client.Name, ID: id, Column: r.column}
		if r.err != nil {
			var e *errs.Error
			row.ID, row.Code = "", errs.CodeOf(r.err)
			if errors.As(r.err, &e) {
				row.Message = i18n.Text(lang, e.Code, e.Params)
			}
		}
		out = append(out, row)
	}
	return out
}

// columnOf says which cell a refusal of the module is about, if it is one.
func columnOf(err error) string {
	var e *errs.Error
	switch {
	case errors.Is(err, vpn.ErrNameInvalid), errors.Is(err, vpn.ErrNameDuplicate):
		return "name"
	case errors.Is(err, vpn.ErrFixedIP), errors.Is(err, vpn.ErrFixedIPTaken):
		return "fixed_ip"
	case errors.Is(err, vpn.ErrGroupUnknown):
		return "groups"
	case errors.Is(err, vpn.ErrRoutes), errors.Is(err, vpn.ErrRouteConflict):
		return "routes"
	case errors.Is(err, vpn.ErrSetting) && errors.As(err, &e):
		name, _ := e.Params["setting"].(string)
		return name
	}
	return ""
}

// readTable reads a CSV file. Lines without any cell are left out.
func readTable(server, text string) ([]tableRow, error) {
	text = strings.TrimPrefix(text, "\uFEFF")
	if !utf8.ValidString(text) || strings.ContainsRune(text, '\uFFFD') || strings.ContainsRune(text, 0) {
		return nil, ErrCSVText
	}
	r := csv.NewReader(bytes.NewReader([]byte(text)))
	r.FieldsPerRecord, r.Comma = -1, delimiter(text)
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, vpn.ErrBatch
	}
	if err != nil {
		return nil, csvError(err)
	}
	if err := checkHeader(header); err != nil {
		return nil, err
	}
	var rows []tableRow
	for names, addresses := map[string]bool{}, map[string]bool{}; ; {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, csvError(err)
		}
		line, _ := r.FieldPos(0)
		row := readRow(server, header, cells)
		if row.line = line; strings.TrimSpace(strings.Join(cells, "")) == "" {
			continue
		}
		row.refuseTwice("name", row.client.Name, names)
		if row.client.FixedIP.IsValid() {
			row.refuseTwice("fixed_ip", row.client.FixedIP.String(), addresses)
		}
		if row.client.FixedIP6.IsValid() {
			row.refuseTwice("fixed_ip6", row.client.FixedIP6.String(), addresses)
		}
		if rows = append(rows, row); len(rows) > vpn.BatchLimit {
			return nil, vpn.ErrBatch
		}
	}
}

// delimiter is what separates cells: spreadsheets write what their language does.
func delimiter(text string) rune {
	first, _, _ := strings.Cut(text, "\n")
	for _, d := range []rune{',', ';', '\t'} {
		if strings.ContainsRune(first, d) {
			return d
		}
	}
	return ','
}

func csvError(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return ErrCSVForm.With("line", p.Line)
	}
	return ErrCSVForm.With("line", 1)
}

func checkHeader(header []string) error {
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(batchColumns, header[i]) || slices.Contains(header[:i], header[i]) {
			return ErrCSVColumn.With("column", i+1)
		}
	}
	if !slices.Contains(header, "name") {
		return ErrCSVColumn.With("column", "name")
	}
	return nil
}

func readRow(server string, header, cells []string) tableRow {
	row := tableRow{client: vpn.NewClient{Server: server}}
	var patch SSLClientSettingsPatch
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		if i >= len(header) {
			if cell != "" {
				row.column, row.err = strconv.Itoa(i+1), ErrCSVValue
			}
			continue
		}
		if header[i] == "name" {
			row.client.Name = cell
		} else if cell != "" && !readCell(&row.client, &patch, header[i], cell) && row.err == nil {
			row.column, row.err = header[i], ErrCSVValue
		}
	}
	settings, err := patch.apply(vpn.ClientSettings{State: vpn.ClientEnabled})
	if err != nil && row.err == nil {
		row.column, row.err = columnOf(err), err
	}
	row.client.ClientSettings = settings
	return row
}

// readCell reads a value; false when it is none of the column's.
func readCell(c *vpn.NewClient, p *SSLClientSettingsPatch, column, cell string) bool {
	switch column {
	case "token_kind":
		c.Token = vpn.TokenKind(strings.ToLower(cell))
		return c.Token == vpn.TokenTOTP || c.Token == vpn.TokenStoken
	case "up_kbps":
		return readNumber(&p.UpKbps, cell, 1_000_000)
	case "down_kbps":
		return readNumber(&p.DownKbps, cell, 1_000_000)
	case "max_sessions":
		var n *int64
		if !readNumber(&n, cell, 10) {
			return false
		}
		sessions := int(*n)
		p.MaxSessions = &sessions
	case "fixed_ip":
		p.FixedIP = &cell
	case "fixed_ip6":
		p.FixedIP6 = &cell
	case "routes":
		all := strings.Fields(cell) // commas separate cells
		p.Routes = &all
	case "groups":
		all := strings.Fields(cell)
		p.Groups = &all
	case "daily_quota_bytes":
		return readNumber(&p.DailyQuota, cell, 1<<50)
	case "monthly_quota_bytes":
		return readNumber(&p.MonthlyQuota, cell, 1<<50)
	case "state":
		state := strings.ToLower(cell)
		p.State = &state
		return state == string(vpn.ClientEnabled) || state == string(vpn.ClientDisabled)
	case "two_factor_exempt":
		p.TwoFactorExempt = new(bool)
		return readAnswer(p.TwoFactorExempt, cell)
	case "device_approval":
		p.DeviceApproval = new(bool)
		return readAnswer(p.DeviceApproval, cell)
	case "enrols":
		return readAnswer(&c.Enrols, cell)
	case "expires_at":
		return readTime(&p.ExpiresAt, cell)
	}
	return true
}

func readAnswer(into *bool, cell string) bool {
	*into = slices.Contains([]string{"true", "yes", "1", "是"}, strings.ToLower(cell))
	return *into || slices.Contains([]string{"false", "no", "0", "否"}, strings.ToLower(cell))
}

func readNumber(into **int64, cell string, top int64) bool {
	n, err := strconv.ParseInt(cell, 10, 64)
	*into = &n
	return err == nil && n >= 0 && n <= top
}

// readTime reads an instant, or a day, which is the end of that day in China.
func readTime(into **time.Time, cell string) bool {
	t, err := time.Parse(time.RFC3339, cell)
	if err != nil {
		if t, err = time.ParseInLocation(time.DateOnly, strings.ReplaceAll(cell, "/", "-"), time.FixedZone("", 8*3600)); err != nil {
			return false
		}
		t = t.AddDate(0, 0, 1)
	}
	*into = &t
	return true
}

// refuseTwice refuses a value that an earlier row has.
func (row *tableRow) refuseTwice(column, value string, seen map[string]bool) {
	if row.err == nil && value != "" && seen[value] {
		row.column, row.err = column, ErrCSVTwice
	}
	seen[value] = true
}
