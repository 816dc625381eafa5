/* throughline: the command line for people. */
#include "services/cli/cli.h"

static const struct command *const commands[] = {
    &command_migrate,
    &command_check,
    &command_status,
    &command_send,
    &command_customers,
    &command_timeline,
    &command_handoffs,
    &command_quarantine,
    &command_replay,
    &command_reconcile,
    NULL,
};

int main(int argc, char **argv)
{
    return cli_main(commands, argc, argv);
}
