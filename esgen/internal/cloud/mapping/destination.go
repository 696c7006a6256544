package mapping

import (
	"encoding/json"

	es "github.com/esgen/esgen/runtime"
)

// givenUp is the object of a batch that is given up, as Lambda writes it to S3.
type givenUp struct {
	RequestContext struct {
		RequestID              string `json:"requestId"`
		FunctionARN            string `json:"functionArn"`
		Condition              string `json:"condition"`
		ApproximateInvokeCount int    `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	ResponseContext *responseContext `json:"responseContext"`
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	Batch           struct {
		ShardID   string `json:"shardId"`
		Start     string `json:"startSequenceNumber"`
		End       string `json:"endSequenceNumber"`
		First     string `json:"approximateArrivalOfFirstRecord"`
		Last      string `json:"approximateArrivalOfLastRecord"`
		Size      int    `json:"batchSize"`
		StreamARN string `json:"streamArn"`
	} `json:"DDBStreamBatchInfo"`
	Payload string `json:"payload"` // the event that the function was called with, JSON in a string
}

type responseContext struct {
	StatusCode      int     `json:"statusCode"`
	ExecutedVersion string  `json:"executedVersion"`
	FunctionError   *string `json:"functionError"`
}

// writeGivenUp puts one object into the destination, under the key that Lambda documents:
// aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<random>.
func (r *reader) writeGivenUp(w work, condition string) error {
	now := r.options.Now().UTC()
	first, last := w.records[0], w.records[len(w.records)-1]
	var o givenUp
	o.RequestContext.RequestID = es.NewUUID(now).String()
	o.RequestContext.FunctionARN = r.function
	o.RequestContext.Condition = condition
	o.RequestContext.ApproximateInvokeCount = w.invokes
	if w.last.invoked {
		o.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: "$LATEST"}
		if w.last.functionError != "" {
			o.ResponseContext.FunctionError = &w.last.functionError
		}
	}
	o.Version, o.Timestamp = "1.0", utc(now, stampForm)
	o.Batch.ShardID, o.Batch.StreamARN = r.shard.id, r.config.StreamARN
	o.Batch.Start, o.Batch.End, o.Batch.Size = first.sequence, last.sequence, len(w.records)
	o.Batch.First, o.Batch.Last = utc(first.created, arrivalForm), utc(last.created, arrivalForm)
	o.Payload = string(payload(texts(w.records)))
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	key := "aws/lambda/" + r.uuid + "/" + r.shard.id + "/" + now.Format("2006/01/02/2006-01-02T15.04.05") + "-" + es.NewUUID(now).String()
	return r.options.Buckets.Put(r.config.OnFailureBucket, key, body)
}
