package lambda_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestFunctionsLinkNothingNeedless: what a function links is what it takes to start.
func TestFunctionsLinkNothingNeedless(t *testing.T) {
	const dynamodb = "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	needless := []string{
		"github.com/aws/aws-sdk-go-v2/config", "github.com/aws/aws-sdk-go-v2/credentials", "github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue",
		"github.com/aws/aws-lambda-go/events", "github.com/aws/aws-sdk-go-v2/service/sns", "go.etcd.io/bbolt",
		"github.com/esgen/esgen/runtime/bolt", "github.com/esgen/esgen/runtime/local", "github.com/esgen/esgen/schema",
		"net/http/pprof", "net/rpc", "text/template", "html/template", "testing",
	}
	for _, program := range []string{"command", "query", "projector", "reconcile", "consumer-shipping-email", "consumer-summary-report"} {
		cmd := exec.Command("go", "list", "-deps", "-tags", "lambda.norpc", "./cmd/"+program)
		cmd.Dir = "../../example-service"
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		linked := strings.Fields(string(out))
		for _, want := range []string{"github.com/aws/aws-lambda-go/lambda", dynamodb} {
			if !slices.Contains(linked, want) {
				t.Errorf("%s does not link %s", program, want)
			}
		}
		own := "example.com/orders/consumers/" + strings.ReplaceAll(strings.TrimPrefix(program, "consumer-"), "-", "")
		for _, p := range linked {
			if strings.HasPrefix(p, "example.com/orders/consumers/") && p != own {
				t.Errorf("%s links the consumer %s, and what that imports", program, p)
			}
		}
		for _, p := range needless {
			if slices.Contains(linked, p) {
				t.Errorf("%s links %s", program, p)
			}
		}
	}
}
