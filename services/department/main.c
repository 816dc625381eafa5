/* Any department that has a configuration file: --department NAME. */
#include "services/department/department.h"

int main(int argc, char **argv)
{
    return department_main(NULL, argc, argv);
}
