package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/scan"
)

// deploymentRequest is what CloudFormation asks of a custom resource.
type deploymentRequest struct {
	kind, url, stack, id, logical, physical string
	consumer                                string // property of the resource
}

func readDeployment(event []byte) (r deploymentRequest, ok bool) {
	s := scan.Scanner{Text: string(event)}
	m := s.Members()
	for m.Next() {
		to := map[string]*string{
			"RequestType": &r.kind, "ResponseURL": &r.url, "StackId": &r.stack, "RequestId": &r.id,
			"LogicalResourceId": &r.logical, "PhysicalResourceId": &r.physical,
		}[m.Name]
		switch {
		case to != nil:
			*to, ok = s.String()
		case m.Name == "ResourceProperties":
			ok = r.properties(&s)
		default:
			ok = s.Skip()
		}
		if !ok {
			return r, false
		}
	}
	return r, m.Whole() && s.End() && r.url != ""
}

func (r *deploymentRequest) properties(s *scan.Scanner) (ok bool) {
	m := s.Members()
	for m.Next() {
		if m.Name == "Consumer" {
			r.consumer, ok = s.String()
		} else {
			ok = s.Skip()
		}
		if !ok {
			return false
		}
	}
	return m.Whole()
}

// deployed answers CloudFormation, which goes on with the deployment only then. Creating the
// resource remembers that the consumer starts; deleting it does nothing, so that one that comes
// back goes on. A failure is an answer, too: without one CloudFormation waits for an hour.
func (f *consumer) deployed(ctx context.Context, event []byte) ([]byte, error) {
	r, ok := readDeployment(event)
	if !ok {
		return nil, errors.New("lambda: what was delivered is no request of CloudFormation")
	}
	if r.physical == "" || r.kind != "Delete" {
		r.physical = "esgen-consumer-start/" + f.consumer.Name
	}
	err := f.rememberStart(ctx, &r)
	if err != nil {
		f.o.Logger.ErrorContext(ctx, "deployment of the consumer", "consumer", f.consumer.Name, "error", err.Error())
	}
	return []byte("{}"), r.answer(ctx, err)
}

func (f *consumer) rememberStart(ctx context.Context, r *deploymentRequest) error {
	switch {
	case r.kind == "Delete":
		return nil
	case r.kind != "Create" && r.kind != "Update":
		return errors.New("lambda: the request is neither to create nor to update or delete")
	case r.consumer != f.consumer.Name:
		return fmt.Errorf("lambda: the request is for the consumer %q, this is %s", r.consumer, f.consumer.Name)
	}
	// Time is left for the answer.
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/2))
		defer cancel()
	}
	_, err := es.RememberConsumerStart(ctx, f.stores.Progress, f.consumer.Name, time.Now())
	return err
}

// What an answer has room for, of 4 KB in all, and how it is sent.
const (
	maxReason      = 1000
	answerAttempts = 3
	answerTime     = 5 * time.Second
)

// answer sends CloudFormation how it went, to an address that allows that.
func (r *deploymentRequest) answer(ctx context.Context, failure error) error {
	status, reason := "SUCCESS", ""
	if failure != nil {
		status, reason = "FAILED", failure.Error()
		reason = reason[:min(len(reason), maxReason)]
	}
	body := []byte(`{"Status":"` + status + `"`)
	for _, m := range []struct{ name, value string }{
		{"Reason", reason}, {"PhysicalResourceId", r.physical}, {"StackId", r.stack}, {"RequestId", r.id}, {"LogicalResourceId", r.logical},
	} {
		if m.value != "" {
			body = append(body, `,"`+m.name+`":`...)
			body = es.AppendString(body, m.value)
		}
	}
	body = append(body, '}')
	var err error
	for range answerAttempts {
		if err = r.put(ctx, body); err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}

// put sends the answer. The address is signed for a request without a content type.
func (r *deploymentRequest) put(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, r.url, bytes.NewReader(body))
	if err != nil {
		return errAnswer // the address may be used by whoever reads it
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return errAnswer
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%w: status %d", errAnswer, response.StatusCode)
	}
	return nil
}

var errAnswer = errors.New("lambda: CloudFormation did not take the answer")
