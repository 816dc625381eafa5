#include "services/department/department.h"

int main(int argc, char **argv)
{
    return department_main("service", argc, argv);
}
