package elasticsearch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"dataknobs.dev/dataknobs"
)

// A statusError is an answer with an error status, as the server worded it.
type statusError struct {
	status int
	kind   string // such as index_not_found_exception
	reason string
}

// Error returns the server's reason.
func (e *statusError) Error() string {
	switch {
	case e.reason != "":
		return e.reason
	case e.kind != "":
		return e.kind
	}
	return fmt.Sprintf("status %d %s", e.status, http.StatusText(e.status))
}

// A cause is how the server words an error.
type cause struct {
	Type   string  `json:"type"`
	Reason string  `json:"reason"`
	Root   []cause `json:"root_cause"`
	By     *cause  `json:"caused_by"`
}

// newStatusError classifies an answer.
func newStatusError(status int, body []byte) error {
	var a struct {
		Error json.RawMessage `json:"error"`
	}
	var c cause
	if json.Unmarshal(body, &a) == nil && json.Unmarshal(a.Error, &c) != nil {
		_ = json.Unmarshal(a.Error, &c.Reason) // some errors are mere text
	}
	return classify(status, &c)
}

// classify returns the error of a status and its cause.
func classify(status int, c *cause) error {
	if len(c.Root) > 0 && c.Root[0].Reason != "" {
		c.Type, c.Reason = c.Root[0].Type, c.Root[0].Reason
	}
	s := &statusError{status: status, kind: c.Type, reason: c.Reason}
	if c.By != nil && c.By.Reason != "" && !strings.Contains(s.reason, c.By.Reason) {
		s.reason += ": " + c.By.Reason
	}
	return s.code()
}

// lasting reports whether trying again soon cannot help.
func (e *statusError) lasting() bool {
	return e.kind == "cluster_block_exception" && !strings.Contains(e.reason, "state not recovered")
}

func (e *statusError) code() error {
	errorf := func(c dataknobs.Code, what string) *dataknobs.Error { return dataknobs.Errorf(c, what+": %w", e) }
	switch e.kind {
	case "index_not_found_exception":
		return errorf(dataknobs.NotFound, "the index is not there")
	case "index_closed_exception":
		return errorf(dataknobs.Unavailable, "the index is closed").WithHint("open it: POST /INDEX/_open")
	case "cluster_block_exception":
		return e.blocked()
	case "search_context_missing_exception":
		return errorf(dataknobs.Unavailable, "the server has let go of the scan's view").
			WithHint("it does so when it restarts, or when a page is asked for later than the option keep_alive says")
	case "version_conflict_engine_exception":
		return errorf(dataknobs.Conflict, "the record was changed by somebody else")
	case "document_parsing_exception", "mapper_parsing_exception", "illegal_argument_exception", "strict_dynamic_mapping_exception":
		return errorf(dataknobs.InvalidArgument, "the index refuses it")
	case "es_rejected_execution_exception", "circuit_breaking_exception", "unavailable_shards_exception", "no_shard_available_action_exception",
		"illegal_index_shard_state_exception", "shard_not_in_primary_mode_exception":
		return errorf(dataknobs.Unavailable, "the server is busy")
	}
	switch {
	case e.status == http.StatusUnauthorized:
		return errorf(dataknobs.PermissionDenied, "the server refuses the credentials")
	case e.status == http.StatusForbidden:
		return errorf(dataknobs.PermissionDenied, "the server refuses it")
	case e.status == http.StatusNotFound:
		return errorf(dataknobs.NotFound, "the server knows nothing of it")
	case e.status == http.StatusConflict:
		return errorf(dataknobs.Conflict, "the server refuses it")
	case e.status == http.StatusRequestEntityTooLarge:
		return errorf(dataknobs.ResourceExhausted, "the request is too large for the server")
	case e.status == http.StatusTooManyRequests, e.status == http.StatusServiceUnavailable, e.status == http.StatusBadGateway, e.status == http.StatusGatewayTimeout:
		return errorf(dataknobs.Unavailable, "the server is not available")
	case e.status < 500:
		return errorf(dataknobs.InvalidArgument, "the server refuses the request")
	}
	return errorf(dataknobs.Internal, "the server failed")
}

// blocked is the error of an index that takes no writes.
func (e *statusError) blocked() error {
	switch {
	case strings.Contains(e.reason, "flood-stage"):
		return dataknobs.Errorf(dataknobs.ResourceExhausted, "the server's disk is full, so the index takes no more: %w", e)
	case e.status == http.StatusServiceUnavailable:
		return dataknobs.Errorf(dataknobs.Unavailable, "the cluster is not ready: %w", e)
	}
	return dataknobs.Errorf(dataknobs.PermissionDenied, "the index is read-only: %w", e)
}
